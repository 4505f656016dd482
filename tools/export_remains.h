// What earlier runs have left in an export's directory, held against the checksums that they noted.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "schema/status.h"
#include "tools/export_manifest.h"
#include "tools/file_digest.h"

namespace sagalog::tools {

struct ExportRemains {
  // How far what counts got; none = nothing counts, and the export begins anew.
  std::optional<ExportManifest> earlier;
  // A run ended before what it wrote was whole.
  bool interrupted = false;
  // The data that counts; empty = there is none.
  std::filesystem::path data;
  // The manifest says that it is whole: a copy of it goes on, and it stays until that is whole too.
  bool stays = false;
  // Of the bytes that count, of a textual format.
  FileDigest digest;
};

// What is there of the export that `published`, the manifest, and `journal` tell of; either may be
// none. Nothing is renamed or written, but that an SQLite file that was being written loses what
// was not committed. kCorruption, naming the file, when what was whole once, or what a journal
// vouches for, is not what was exported any more: for as long as that file lies there.
[[nodiscard]] Result<ExportRemains> ExamineRemains(const std::filesystem::path& directory,
                                                   ExportFormat format,
                                                   const std::optional<ExportManifest>& published,
                                                   const std::optional<ExportManifest>& journal);

// The name of a file while it is being written.
[[nodiscard]] std::string UnfinishedName(std::string_view name);

}  // namespace sagalog::tools
