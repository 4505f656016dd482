// The directory of an export: what is in it, and what of that is whole.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "schema/status.h"
#include "tools/export_manifest.h"
#include "tools/export_remains.h"

namespace sagalog::tools {

// Locked while it is open. Whenever the program or the machine stops, either the export before is
// there and nothing else, or a journal says that what is there is not whole; readers refuse it, and
// the next export with the same scope goes on from the journal. One thread at a time.
class ExportDirectory {
 public:
  // Creates `path` (mode 0700), or takes an empty one, or one with an export of `scope`:
  // kInvalidArgument for any other, and for one with files that are no part of an export; kLocked
  // when an export into it runs; kCorruption when what is there is not what was exported, and
  // nothing was touched then.
  [[nodiscard]] static Result<ExportDirectory> Open(const std::filesystem::path& path,
                                                    const ExportScope& scope);
  ExportDirectory(ExportDirectory&& other) noexcept;
  ExportDirectory& operator=(ExportDirectory&&) = delete;
  ~ExportDirectory();

  // How far the export before got; none = there was none.
  [[nodiscard]] const std::optional<ExportManifest>& earlier() const { return remains_.earlier; }
  // Whether it stopped before it was whole.
  [[nodiscard]] bool interrupted() const { return remains_.interrupted; }
  // Of the data that is there, as ExportWriter::Open wants it. Once.
  [[nodiscard]] FileDigest TakeDigest() { return std::move(remains_.digest); }
  // The checkpoint that the manifest lists, and which is there as it lists it; else empty.
  [[nodiscard]] std::string EarlierCheckpoint() const;

  // Where the data is written until it is whole.
  [[nodiscard]] std::filesystem::path data() const;
  // From here on the directory holds nothing that passes for whole; what counts of what was
  // exported before is at data().
  Status Begin(const ExportManifest& progress);
  // Notes durably how far it got.
  Status Note(const ExportManifest& progress) const;
  // Makes it whole, with the signed note `checkpoint`, unless that is empty. `manifest` lists the
  // data; the checkpoint is added.
  Status Publish(ExportManifest& manifest, const std::string& checkpoint);
  // Removes what was begun, when nothing was there before.
  void Abandon();

 private:
  ExportDirectory(std::filesystem::path path, int descriptor)
      : path_(std::move(path)), descriptor_(descriptor) {}

  Status Examine(const ExportScope& scope);
  // Nothing when there is none; kInvalidArgument when it is of another export.
  Result<std::optional<ExportManifest>> ReadOwn(std::string_view name,
                                                const ExportScope& scope) const;
  Status CheckNames(ExportFormat format, bool is_export) const;
  // Where the data lies that goes on.
  Status MoveIn() const;
  // Writes a file whole, in place of the one with that name.
  Status Replace(std::string_view name, std::string_view text) const;

  std::filesystem::path path_;
  int descriptor_;  // of the directory, locked; -1 when moved from
  bool created_ = false;
  std::string data_name_;
  std::optional<ExportManifest> published_;
  ExportRemains remains_;
};

}  // namespace sagalog::tools
