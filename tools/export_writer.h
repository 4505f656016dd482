// Writes the data of an export, in one of its formats.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "schema/status.h"
#include "tools/export_manifest.h"
#include "tools/export_pipeline.h"

namespace sagalog::tools {

// Render may be called by several threads at once, all else by one at a time.
class ExportWriter {
 public:
  virtual ~ExportWriter() = default;

  // Begins `path`, or goes on with it behind what `earlier` says is there, which is compared with
  // what is; what was written after that is taken away. `finished`: nothing was. How far the
  // export got is put right in `earlier`. kCorruption when the file is not what was exported.
  virtual Status Open(const std::filesystem::path& path, ExportManifest& earlier,
                      bool finished) = 0;
  // Makes what is to be written of the chunk.
  virtual void Render(ExportChunk& chunk) const = 0;
  virtual Status Write(const ExportChunk& chunk) = 0;
  // Makes all of it durable, with `progress`, in which the file is brought up to date.
  virtual Status Note(ExportManifest& progress) = 0;
  // The same at the end of the export, and closes the file.
  virtual Status Finish(ExportManifest& progress) = 0;
};

// ndjson, csv and cloudevents: a file that only grows.
[[nodiscard]] std::unique_ptr<ExportWriter> MakeTextWriter(ExportFormat format);
// sqlite: a database with tables and views made for questions.
[[nodiscard]] std::unique_ptr<ExportWriter> MakeSqliteWriter();

}  // namespace sagalog::tools
