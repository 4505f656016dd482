// Writes the data of an export, in one of its formats.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "schema/status.h"
#include "tools/export_manifest.h"
#include "tools/export_pipeline.h"
#include "tools/file_digest.h"

namespace sagalog::tools {

// Render may be called by several threads at once, all else by one at a time.
class ExportWriter {
 public:
  virtual ~ExportWriter() = default;

  // Begins `path`, or goes on with it behind what `earlier` says is there; `digest` is that of a
  // text's bytes up to there. What was written after that is taken away. How far the export got is
  // put right in `earlier`.
  virtual Status Open(const std::filesystem::path& path, ExportManifest& earlier,
                      FileDigest digest) = 0;
  // Makes what is to be written of the chunk.
  virtual void Render(ExportChunk& chunk) const = 0;
  virtual Status Write(const ExportChunk& chunk) = 0;
  // Makes all of it durable, with `progress`, in which the file is brought up to date. Takes time
  // in the size of an SQLite file.
  virtual Status Note(ExportManifest& progress) = 0;
  // The same at the end of the export, and closes the file.
  virtual Status Finish(ExportManifest& progress) = 0;
};

// ndjson, csv and cloudevents: a file that only grows.
[[nodiscard]] std::unique_ptr<ExportWriter> MakeTextWriter(ExportFormat format);
// sqlite: a database with tables and views made for questions.
[[nodiscard]] std::unique_ptr<ExportWriter> MakeSqliteWriter();
// What such a file that is being written says of itself; what was not committed goes.
[[nodiscard]] Result<ExportManifest> ReadSqliteNote(const std::filesystem::path& path);

}  // namespace sagalog::tools
