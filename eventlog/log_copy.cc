#include "eventlog/log_copy.h"

#include <memory>
#include <string>
#include <system_error>

#include <fmt/format.h>

#include "eventlog/crc32c.h"
#include "eventlog/durable_file.h"
#include "eventlog/regular_file.h"
#include "eventlog/rocks_log.h"
#include "eventlog/rocks_opening.h"

namespace sagalog {
namespace {

// What is wrong with one file, and with which event where that can be told.
Status DamagedFile(const std::filesystem::path& backup, const BackupFile& file,
                   std::string_view why) {
  std::string text =
      fmt::format("the backup {} is damaged: {} {}", backup.string(), file.name, why);
  if (const Result<Sequence> verified = VerifyLogCopy(backup); !verified.ok()) {
    text += fmt::format(" ({})", verified.status().text());
  }
  return {Code::kCorruption, std::move(text)};
}

// A file that is there, and as long as it was.
Result<RegularFile> OpenFile(const std::filesystem::path& backup, const BackupFile& file) {
  Result<RegularFile> opened = RegularFile::Open(backup / file.name, Links::kRefused);
  if (opened.status().code() == Code::kNotFound) {
    return DamagedFile(backup, file, "is missing");
  }
  if (opened.status().code() == Code::kCorruption) {
    return Status(Code::kCorruption, fmt::format("the backup {} is damaged: {}", backup.string(),
                                                 opened.status().text()));
  }
  if (opened.ok() && opened->size_bytes() != file.size_bytes) {
    return DamagedFile(backup, file,
                       fmt::format("has {} bytes of {}", opened->size_bytes(), file.size_bytes));
  }
  return opened;
}

Status CheckFolder(const std::filesystem::path& backup) {
  const Status plain = CheckRegularFiles(DatabasePath(backup), Links::kRefused);
  return plain.ok() ? plain
                    : Status(plain.code(), fmt::format("the backup {} is damaged: {}",
                                                       backup.string(), plain.text()));
}

Status CheckChecksum(const std::filesystem::path& backup, const BackupFile& file,
                     std::uint32_t checksum) {
  if (checksum != file.checksum) {
    return DamagedFile(backup, file, "is not what was written (its checksum differs)");
  }
  return {};
}

}  // namespace

Result<Sequence> VerifyLogCopy(const std::filesystem::path& directory) {
  ASSIGN_OR_RETURN(const std::unique_ptr<RocksLog> log,
                   RocksLog::Open(directory, {.mode = LogMode::kReadOnly}));
  RETURN_IF_ERROR(log->Health());
  RETURN_IF_ERROR(log->Scan(Sequence(1), log->Last(),
                            [](const events::Event&, std::string_view) { return Status(); }));
  return log->Last();
}

Status CheckBackupFile(const std::filesystem::path& backup, const BackupFile& file) {
  ASSIGN_OR_RETURN(const RegularFile opened, OpenFile(backup, file));
  std::uint32_t checksum = 0;
  RETURN_IF_ERROR(opened.Read([&](std::string_view part) { checksum = Crc32c(part, checksum); }));
  return CheckChecksum(backup, file, checksum);
}

Result<BackupManifest> CheckBackup(const std::filesystem::path& backup) {
  ASSIGN_OR_RETURN(BackupManifest manifest, BackupManifest::Read(backup));
  RETURN_IF_ERROR(CheckFolder(backup));
  for (const BackupFile& file : manifest.files) {
    RETURN_IF_ERROR(CheckBackupFile(backup, file));
  }
  return manifest;
}

Result<BackupManifest> CopyBackup(const std::filesystem::path& backup,
                                  const std::filesystem::path& directory, DiskFaults* faults) {
  ASSIGN_OR_RETURN(BackupManifest manifest, BackupManifest::Read(backup));
  RETURN_IF_ERROR(CheckFolder(backup));
  std::error_code error;
  if (!std::filesystem::create_directory(DatabasePath(directory), error)) {
    return Status(Code::kIoError, fmt::format("cannot create {}: {}",
                                              DatabasePath(directory).string(), error.message()));
  }
  for (const BackupFile& file : manifest.files) {
    RETURN_IF_ERROR(OpenFile(backup, file).status());
    ASSIGN_OR_RETURN(
        const std::uint32_t checksum,
        CopyFileDurably(backup / file.name, directory / file.name, file.size_bytes, faults));
    RETURN_IF_ERROR(CheckChecksum(backup, file, checksum));
  }
  RETURN_IF_ERROR(SyncDirectory(DatabasePath(directory), faults));
  RETURN_IF_ERROR(SyncDirectory(directory, faults));
  return manifest;
}

}  // namespace sagalog
