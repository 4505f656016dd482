#include "eventlog/log_copy.h"

#include <fstream>
#include <memory>
#include <string>
#include <system_error>

#include <fmt/format.h>

#include "eventlog/crc32c.h"
#include "eventlog/durable_file.h"
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

constexpr std::size_t kReadBytes = 1U << 20;

Result<std::uint32_t> ChecksumOf(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string buffer(kReadBytes, '\0');
  std::uint32_t checksum = 0;
  while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())), file.gcount() > 0) {
    checksum = Crc32c(std::string_view(buffer).substr(0, static_cast<std::size_t>(file.gcount())),
                      checksum);
  }
  if (!file.eof()) {
    return Status(Code::kIoError, fmt::format("cannot read {}", path.string()));
  }
  return checksum;
}

// A file that is there, and as long as it was.
Status CheckSize(const std::filesystem::path& backup, const BackupFile& file) {
  std::error_code error;
  const std::uint64_t size_bytes = std::filesystem::file_size(backup / file.name, error);
  if (error) {
    return DamagedFile(backup, file, "is missing");
  }
  if (size_bytes != file.size_bytes) {
    return DamagedFile(backup, file,
                       fmt::format("has {} bytes of {}", size_bytes, file.size_bytes));
  }
  return {};
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

Result<BackupManifest> CheckBackup(const std::filesystem::path& backup) {
  ASSIGN_OR_RETURN(BackupManifest manifest, BackupManifest::Read(backup));
  for (const BackupFile& file : manifest.files) {
    RETURN_IF_ERROR(CheckSize(backup, file));
    ASSIGN_OR_RETURN(const std::uint32_t checksum, ChecksumOf(backup / file.name));
    RETURN_IF_ERROR(CheckChecksum(backup, file, checksum));
  }
  return manifest;
}

Result<BackupManifest> CopyBackup(const std::filesystem::path& backup,
                                  const std::filesystem::path& directory, DiskFaults* faults) {
  ASSIGN_OR_RETURN(BackupManifest manifest, BackupManifest::Read(backup));
  std::error_code error;
  if (!std::filesystem::create_directory(DatabasePath(directory), error)) {
    return Status(Code::kIoError, fmt::format("cannot create {}: {}",
                                              DatabasePath(directory).string(), error.message()));
  }
  for (const BackupFile& file : manifest.files) {
    RETURN_IF_ERROR(CheckSize(backup, file));
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
