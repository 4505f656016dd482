// sagalog audit export: a log taken away, to be read and checked elsewhere.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "schema/id.h"
#include "schema/status.h"
#include "tools/export_manifest.h"
#include "tools/record.h"

namespace sagalog::tools {

struct ExportRequest {
  std::filesystem::path out;
  ExportFormat format = ExportFormat::kNdjson;
  // Sequences, or times in RFC 3339; empty = from the first, to the last event. Both ends belong
  // to the range.
  std::string from;
  std::string to;
  std::string saga;
  std::string key;
  // What an export that is stopped loses at most; of an SQLite file a third, where that is more,
  // because its checksum costs time in its size. More often, the syncs would cost time.
  std::uint64_t note_events = 500'000;
  // A signed note about the tree over the first `size` events of the log; empty = nobody can sign
  // here. May be empty itself. Not asked about a damaged log.
  std::function<Result<std::string>(std::uint64_t size)> sign;
  // Told now and then how far it got. May be empty.
  std::function<void(Sequence done, Sequence first, Sequence last)> progress;
};

struct ExportReport {
  ExportManifest manifest;
  // How many events this run has added.
  std::uint64_t added = 0;
  // It went on where an earlier one had ended, whole or not.
  bool continued = false;
  // It was whole, and there was nothing to add.
  bool unchanged = false;
  // Where the log is damaged; empty = nowhere.
  std::string damage;
  // More was asked for than stands before the damage.
  bool cut_short = false;
};

// Writes the events that are asked for, or those that have come since the last time. Whatever stops
// it, what is in the directory does not pass for whole, and the same request goes on with it.
// Memory is constant. kInvalidArgument or kNotFound when the request is wrong: then nothing is
// left behind. Of a damaged log, what stands before the damage; kCorruption when what is asked for
// lies behind it, or when what is in the directory was changed since it was exported.
[[nodiscard]] Result<ExportReport> ExportRecord(const Record& record, const ExportRequest& request);

}  // namespace sagalog::tools
