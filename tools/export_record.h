// Whether an export is whole and says what its bytes say.
#pragma once

#include <filesystem>

#include "eventlog/event_log.h"
#include "tools/export_manifest.h"

namespace sagalog::tools {

// Whether `path` is a directory that an export was written to, finished or not.
[[nodiscard]] bool IsExport(const std::filesystem::path& path);

// Reads the export in `directory` from end to end and compares: every file with its size and
// SHA-256 in the manifest; each line's bytes with the FlatBuffers verifier, the line before and its
// saga's chain; its readable fields with its bytes; counts, range and filter with the manifest. The
// first that is wrong is named: kCorruption. `visit` (may be empty) gets each event in order, for
// the tree over them; an error from it ends the reading. An export that is not as NDJSON has its
// files compared and no more.
//
// Who could write the files could write the manifest too: only the checkpoint, against a key from
// elsewhere, says that nobody did.
[[nodiscard]] Result<ExportManifest> CheckExport(const std::filesystem::path& directory,
                                                 const EventLog::Visitor& visit);

}  // namespace sagalog::tools
