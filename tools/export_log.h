// An export as a log: what `sagalog audit export` wrote as NDJSON, read again where it lies.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "eventlog/event_log.h"
#include "tools/export_manifest.h"

namespace sagalog::tools {

// What a line is made of at most: the largest event, as JSON and as base64.
inline constexpr std::uint64_t kExportLineMax = 64UL << 20;

// Only read. A place is found by looking at a few lines around where it must be, because their
// sequences rise: nothing is read at opening, and memory is one line and a buffer.
//
// Of an export with a filter or from a later event, what is not in it is kNotFound, and a scan goes
// on with the next that is.
class ExportLog final : public EventLog {
 public:
  // kNotFound when `directory` holds no export; kInvalidArgument when it is not finished, or not
  // as NDJSON; kUnsupportedVersion for a newer one; kCorruption when its data has another size than
  // its manifest says. The rest is CheckExport's matter (tools/export_record.h).
  [[nodiscard]] static Result<std::unique_ptr<ExportLog>> Open(
      const std::filesystem::path& directory);
  ~ExportLog() override;
  ExportLog(const ExportLog&) = delete;
  ExportLog& operator=(const ExportLog&) = delete;

  [[nodiscard]] const ExportManifest& manifest() const { return manifest_; }

  // Called with each line in order, as it stands there.
  using LineVisitor = std::function<Status(std::string_view line)>;
  // Visits the lines from the one that begins at `offset` on.
  Status ScanLines(std::uint64_t offset, const LineVisitor& visitor) const;

  [[nodiscard]] Sequence Last() const override { return manifest_.through; }
  Status Append(Sequence expected_last, std::span<const std::string_view> events) override;
  [[nodiscard]] Status Health() const override { return {}; }
  [[nodiscard]] Result<StoredEvent> Read(Sequence sequence) const override;
  Status Scan(Sequence from, Sequence through, const Visitor& visitor) const override;
  // Nothing is ever added to it.
  [[nodiscard]] bool WaitBeyond(Sequence seen, std::chrono::milliseconds patience) const override;
  Status Close() override { return {}; }

 private:
  ExportLog(std::filesystem::path path, int file, ExportManifest manifest, std::uint64_t size)
      : path_(std::move(path)), file_(file), manifest_(std::move(manifest)), size_bytes_(size) {}

  // A line and where it is.
  struct Place {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;  // behind its line break
    Sequence sequence;
  };

  Status ReadAt(std::uint64_t offset, std::size_t size, std::string& out) const;
  // The line that holds the byte at `offset`, as far as its sequence; it begins at `floor` or
  // later.
  Result<Place> LineAround(std::uint64_t offset, std::uint64_t floor) const;
  // Where the first line with `sequence` or a later one begins; the end when there is none.
  Result<std::uint64_t> FindLine(Sequence sequence) const;
  [[nodiscard]] Status DamagedAt(std::uint64_t offset) const;

  std::filesystem::path path_;
  int file_;
  ExportManifest manifest_;
  std::uint64_t size_bytes_;
};

}  // namespace sagalog::tools
