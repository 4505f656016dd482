// What an export says of itself. The file: docs/export.md, manifest.json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/id.h"
#include "schema/status.h"
#include "schema/store_time.h"

namespace sagalog::tools {

inline constexpr std::string_view kExportManifestName = "manifest.json";
// The signed note on the tree that the exported events are part of.
inline constexpr std::string_view kExportCheckpointName = "checkpoint";
// Beside what is not whole: how far the export got. It goes last.
inline constexpr std::string_view kExportJournalName = "export.unfinished";
// Behind the name of a file that is being written.
inline constexpr std::string_view kUnfinishedSuffix = ".unfinished";
// The version this program writes, and the newest it reads.
inline constexpr std::uint32_t kExportVersion = 1;
// What is said in it is some hundred bytes.
inline constexpr std::uint64_t kExportManifestSizeMax = 1U << 20;

enum class ExportFormat { kNdjson, kCsv, kCloudEvents, kSqlite };

// "ndjson", "csv", "cloudevents", "sqlite".
[[nodiscard]] std::string_view ExportFormatName(ExportFormat format);
[[nodiscard]] std::optional<ExportFormat> ExportFormatFromName(std::string_view name);
// "events.ndjson".
[[nodiscard]] std::string_view ExportDataName(ExportFormat format);

// Which events: what never changes when an export is continued.
struct ExportScope {
  ExportFormat format = ExportFormat::kNdjson;
  Sequence from = Sequence(1);
  std::string saga;  // empty = of all, and of the store
  std::string key;   // the same; all generations of it

  // Every event from the first one.
  [[nodiscard]] bool IsWhole() const { return from == Sequence(1) && saga.empty() && key.empty(); }
  friend bool operator==(const ExportScope&, const ExportScope&) = default;
};

// "events from 7 on of saga T1 as ndjson".
[[nodiscard]] std::string InWords(const ExportScope& scope);

struct ExportedFile {
  std::string name;
  std::uint64_t size_bytes = 0;
  std::string sha256;  // in hex

  friend bool operator==(const ExportedFile&, const ExportedFile&) = default;
};

struct ExportManifest {
  ExportScope scope;
  std::string store_id;
  // Of the last event; "first" before any restore.
  std::string lineage;
  // Every event of the scope up to here is in it.
  Sequence through;
  // The leaf of the event there in the tree over all events, in base64: whoever goes on compares.
  std::string through_leaf;
  std::uint64_t events = 0;
  // Of the first and the last of them.
  std::optional<StoreTime> first_time;
  std::optional<StoreTime> last_time;
  // Where the log ended.
  Sequence log_last;
  // What was wrong with the log behind the events that could be read; empty = nothing.
  std::string damage;
  // How many events the checkpoint is about; none = nobody signed one. Of an export from the first
  // event without a filter it is as many as `through`, or fewer when the log was damaged since.
  std::optional<std::uint64_t> checkpoint_size;
  // What a manifest that was read says of that; Encode writes what is so.
  std::string checkpoint_covers;
  std::vector<ExportedFile> files;

  // What the checkpoint is about, in words. Only with one.
  [[nodiscard]] std::string_view CheckpointCovers() const;
  // The file with this name; null when it is not listed.
  [[nodiscard]] const ExportedFile* Find(std::string_view name) const;

  [[nodiscard]] std::string Encode() const;
  // kCorruption, naming the field, unless `text` is one whole manifest; kUnsupportedVersion for a
  // newer one.
  [[nodiscard]] static Result<ExportManifest> Parse(std::string_view text);
  // The file in `directory`, a manifest or a journal; what fails names the file. kNotFound when
  // there is none.
  [[nodiscard]] static Result<ExportManifest> Read(const std::filesystem::path& directory,
                                                   std::string_view name = kExportManifestName);
};

}  // namespace sagalog::tools
