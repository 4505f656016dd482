// Whether an export is whole and says what its bytes say.
#pragma once

#include <filesystem>

#include "eventlog/event_log.h"
#include "tools/export_manifest.h"

namespace sagalog::tools {

// Whether `path` is a directory that an export was written to, finished or not.
[[nodiscard]] bool IsExport(const std::filesystem::path& path);

struct CheckedExport {
  ExportManifest manifest;
  // Whether the data says which event `through_leaf` is the leaf of.
  bool leaf_compared = false;
};

// Reads the export in `directory` from end to end and compares: every file with its size and
// SHA-256 in the manifest; each line's bytes with the FlatBuffers verifier, the line before and its
// saga's chain, which shows what is left out between two events of a saga in an export with a
// filter too; its readable fields with its bytes; counts, range, filter, store, lineage and last
// leaf with the manifest, as far as the events tell them; the checkpoint's size and origin with it.
// The first that is wrong is named: kCorruption. `visit` (may be empty) gets each event in order,
// for the tree over them; an error from it ends the reading. Of an export that is not as NDJSON the
// files and the checkpoint are compared and no more.
//
// Who could write the files could write the manifest too: only the checkpoint, against a key from
// elsewhere, says that nobody did.
[[nodiscard]] Result<CheckedExport> CheckExport(const std::filesystem::path& directory,
                                                const EventLog::Visitor& visit);

}  // namespace sagalog::tools
