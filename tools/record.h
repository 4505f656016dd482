// A log to be looked at and never written, wherever it lies.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "eventlog/event_log.h"
#include "eventlog/log_opening.h"
#include "schema/status.h"

namespace sagalog::tools {

// Nothing is ever written to it: an append is kReadOnly.
struct Record {
  std::unique_ptr<EventLog> log;
  // Where it stops being what was written; what stands before can be read. None = nowhere.
  std::optional<Damage> damage;
};

// The log of a data directory, also while a daemon writes it (then as far as it was acknowledged at
// this moment), or of a backup: itself, or the newest of a directory of them; or the finished
// export in `path`, as NDJSON and from the first event without a filter, else kInvalidArgument.
// kNotFound when `path` holds none, kUnsupportedVersion when a newer program wrote it.
[[nodiscard]] Result<Record> OpenRecord(const std::filesystem::path& path);

}  // namespace sagalog::tools
