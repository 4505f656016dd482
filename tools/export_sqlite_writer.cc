// An export as an SQLite file.
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "tools/export_sqlite_rows.h"
#include "tools/export_sqlite_schema.h"
#include "tools/export_writer.h"
#include "tools/file_digest.h"
#include "tools/sqlite_file.h"

namespace sagalog::tools {
namespace {

class SqliteWriter final : public ExportWriter {
 public:
  Status Open(const std::filesystem::path& path, ExportManifest& earlier,
              FileDigest /*digest*/) override {
    path_ = path;
    ASSIGN_OR_RETURN(file_, SqliteFile::Open(path));
    ASSIGN_OR_RETURN(const std::string tables,
                     file_->Ask("SELECT name FROM sqlite_master WHERE name = 'export'"));
    RETURN_IF_ERROR(file_->RunScript("BEGIN IMMEDIATE"));
    if (tables.empty()) {
      return file_->RunScript(kExportTables);
    }
    // What was committed with the rows counts, and not what the journal learned afterwards.
    ASSIGN_OR_RETURN(const std::string noted, file_->Ask("SELECT manifest FROM export"));
    if (!noted.empty()) {
      ASSIGN_OR_RETURN(earlier, ExportManifest::Parse(noted));
    }
    return {};
  }

  void Render(ExportChunk& /*chunk*/) const override {}

  Status Write(const ExportChunk& chunk) override {
    for (std::size_t i = 0; i < chunk.events(); ++i) {
      RETURN_IF_ERROR(AddExportRows(*file_, chunk.event(i), chunk.bytes(i)));
    }
    return {};
  }

  Status Note(ExportManifest& progress) override {
    RETURN_IF_ERROR(Commit(progress));
    RETURN_IF_ERROR(List(progress));
    return file_->RunScript("BEGIN IMMEDIATE");
  }

  Status Finish(ExportManifest& progress) override {
    RETURN_IF_ERROR(file_->RunScript(kExportViews));
    RETURN_IF_ERROR(Commit(progress));
    RETURN_IF_ERROR(file_->Close());
    file_.reset();
    return List(progress);
  }

 private:
  Status Commit(ExportManifest& progress) {
    // Its own checksum cannot stand in it.
    progress.files.clear();
    RETURN_IF_ERROR(file_->Run("DELETE FROM export"));
    RETURN_IF_ERROR(file_->Run("INSERT INTO export VALUES (?1)", progress.Encode()));
    return file_->RunScript("COMMIT");
  }

  // With the checksum of what was committed.
  Status List(ExportManifest& progress) const {
    std::error_code error;
    const std::uint64_t size_bytes = std::filesystem::file_size(path_, error);
    ASSIGN_OR_RETURN(std::string digest, DigestOf(path_));
    progress.files = {
        {std::string(ExportDataName(ExportFormat::kSqlite)), size_bytes, std::move(digest)}};
    return {};
  }

  std::filesystem::path path_;
  std::unique_ptr<SqliteFile> file_;
};

}  // namespace

Result<ExportManifest> ReadSqliteNote(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(const auto file, SqliteFile::Open(path));
  ASSIGN_OR_RETURN(const std::string noted, file->Ask("SELECT manifest FROM export"));
  RETURN_IF_ERROR(file->Close());
  return ExportManifest::Parse(noted);
}

std::unique_ptr<ExportWriter> MakeSqliteWriter() { return std::make_unique<SqliteWriter>(); }

}  // namespace sagalog::tools
