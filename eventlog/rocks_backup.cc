#include "eventlog/rocks_backup.h"

#include <algorithm>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <rocksdb/file_checksum.h>

#include "eventlog/backup_directory.h"
#include "eventlog/backup_manifest.h"
#include "eventlog/crc32c.h"
#include "eventlog/data_directory.h"
#include "eventlog/durable_file.h"
#include "eventlog/head_file.h"
#include "eventlog/log_copy.h"
#include "eventlog/rocks_opening.h"

namespace sagalog {
namespace fs = std::filesystem;
namespace {

// Write-ahead files up to this size are copied; beyond it their events become a table first, which
// the next backup then need not copy again.
constexpr std::uint64_t kCopiedWalBytesMax = 8U << 20;

// While it lives, the database deletes none of its files.
class FilesHeld {
 public:
  explicit FilesHeld(rocksdb::DB& db) : db_(db), held_(db.DisableFileDeletions()) {}
  ~FilesHeld() {
    if (held_.ok()) {
      FromRocks(db_.EnableFileDeletions(false), "").IgnoreBecause("they are deleted later");
    }
  }
  FilesHeld(const FilesHeld&) = delete;
  FilesHeld& operator=(const FilesHeld&) = delete;
  [[nodiscard]] Status status() const { return FromRocks(held_, "cannot hold the log's files"); }

 private:
  rocksdb::DB& db_;
  rocksdb::Status held_;
};

// The checksum that RocksDB noted when it wrote the table.
std::optional<std::uint32_t> KnownChecksum(const rocksdb::LiveFileStorageInfo& file) {
  constexpr std::size_t kSize = sizeof(std::uint32_t);
  if (file.file_checksum_func_name != rocksdb::kStandardDbFileChecksumFuncName ||
      file.file_checksum.size() != kSize) {
    return std::nullopt;
  }
  std::uint32_t checksum = 0;
  for (const char byte : file.file_checksum) {
    checksum = checksum << 8 | static_cast<unsigned char>(byte);
  }
  return checksum;
}

// One backup being written.
class NewBackup {
 public:
  NewBackup(fs::path path, fs::path before, DiskFaults* faults)
      : path_(std::move(path)), before_(std::move(before)), faults_(faults) {}

  BackupManifest& manifest() { return manifest_; }
  [[nodiscard]] std::uint64_t copied_bytes() const { return copied_bytes_; }

  // What the backup before this one holds may be shared.
  void MayShare(BackupManifest before) { shared_ = std::move(before.files); }

  Status Add(const rocksdb::LiveFileStorageInfo& live) {
    BackupFile file;
    file.name = fmt::format("{}/{}", kLogDirectoryName, live.relative_filename);
    file.size_bytes = live.size;
    if (!live.replacement_contents.empty()) {
      return Write(std::move(file), live.replacement_contents);
    }
    const fs::path from = fs::path(live.directory) / live.relative_filename;
    const auto known = KnownChecksum(live);
    if (known) {
      file.checksum = *known;
      if (Share(file)) {
        manifest_.files.push_back(std::move(file));
        return {};
      }
    }
    ASSIGN_OR_RETURN(file.checksum,
                     CopyFileDurably(from, path_ / file.name, file.size_bytes, faults_));
    if (known && *known != file.checksum) {
      return {Code::kCorruption,
              fmt::format("{} is not what was written: its checksum is {:08x}, not {:08x}",
                          from.string(), file.checksum, *known)};
    }
    Take(std::move(file));
    return {};
  }

  Status Write(BackupFile file, std::string_view bytes) {
    RETURN_IF_ERROR(WriteFileDurably(path_ / file.name, bytes, faults_));
    file.size_bytes = bytes.size();
    file.checksum = Crc32c(bytes);
    Take(std::move(file));
    return {};
  }

  // Whether what was copied arrived. What is shared was read when it was taken over.
  Status CheckCopied() const {
    for (const BackupFile& file : copied_) {
      RETURN_IF_ERROR(CheckBackupFile(path_, file));
    }
    return {};
  }

 private:
  void Take(BackupFile file) {
    copied_bytes_ += file.size_bytes;
    copied_.push_back(file);
    manifest_.files.push_back(std::move(file));
  }

  // Tables never change: the backup before this one may hold the same, and then both do. What its
  // manifest says is what was put there; a disk may have lost it since, so the bytes are read.
  bool Share(const BackupFile& file) {
    if (std::find(shared_.begin(), shared_.end(), file) == shared_.end()) {
      return false;
    }
    std::error_code error;
    fs::create_hard_link(before_ / file.name, path_ / file.name, error);
    if (error) {
      return false;
    }
    if (CheckBackupFile(path_, file).ok()) {
      return true;
    }
    fs::remove(path_ / file.name, error);
    return false;
  }

  fs::path path_;
  fs::path before_;
  DiskFaults* faults_;
  BackupManifest manifest_;
  std::vector<BackupFile> shared_;
  std::vector<BackupFile> copied_;
  std::uint64_t copied_bytes_ = 0;
};

Status CopyLiveFiles(rocksdb::DB& db, NewBackup& backup) {
  const FilesHeld held(db);
  RETURN_IF_ERROR(held.status());
  rocksdb::LiveFilesStorageInfoOptions options;
  options.include_checksum_info = true;
  options.wal_size_for_flush = kCopiedWalBytesMax;
  std::vector<rocksdb::LiveFileStorageInfo> files;
  RETURN_IF_ERROR(
      FromRocks(db.GetLiveFilesStorageInfo(options, &files), "cannot list the log's files"));
  for (const rocksdb::LiveFileStorageInfo& file : files) {
    RETURN_IF_ERROR(backup.Add(file));
  }
  return {};
}

Status WriteBackup(rocksdb::DB& db, Sequence last, const fs::path& path, NewBackup& backup,
                   DiskFaults* faults) {
  std::error_code error;
  if (!fs::create_directory(DatabasePath(path), error)) {
    return {Code::kIoError,
            fmt::format("cannot create {}: {}", DatabasePath(path).string(), error.message())};
  }
  RETURN_IF_ERROR(CopyLiveFiles(db, backup));
  RETURN_IF_ERROR(backup.Write({std::string(kHeadFileName), 0, 0}, HeadFile::Encode(last)));
  RETURN_IF_ERROR(SyncDirectory(DatabasePath(path), faults));
  RETURN_IF_ERROR(backup.CheckCopied());
  ASSIGN_OR_RETURN(backup.manifest().last, VerifyLogCopy(path));
  RETURN_IF_ERROR(WriteFileDurably(path / kBackupManifestName, backup.manifest().Encode(), faults));
  return SyncDirectory(path, faults);
}

}  // namespace

Result<LogBackup> BackUpDatabase(rocksdb::DB& db, Sequence last, const LogBackupOptions& options,
                                 DiskFaults* faults) {
  ASSIGN_OR_RETURN(BackupDirectory directory, BackupDirectory::Open(options.directory, faults));
  const std::vector<fs::path> backups = BackupDirectory::List(options.directory);
  NewBackup backup(directory.unfinished(), backups.empty() ? fs::path() : backups.back(), faults);
  backup.manifest().origin = options.origin;
  if (!backups.empty()) {
    Result<BackupManifest> before = BackupManifest::Read(backups.back());
    if (before.ok() && before->origin != options.origin) {
      return Status(Code::kInvalidArgument,
                    fmt::format("{} holds backups of store {}, and this is store {}: choose "
                                "another directory",
                                options.directory.string(), before->origin, options.origin));
    }
    if (before.ok()) {
      backup.MayShare(*std::move(before));
    }
  }
  RETURN_IF_ERROR(WriteBackup(db, last, directory.unfinished(), backup, faults));
  LogBackup made;
  made.last = backup.manifest().last;
  made.size_bytes = backup.manifest().SizeBytes();
  made.copied_bytes = backup.copied_bytes();
  ASSIGN_OR_RETURN(made.path, directory.Publish());
  directory.RemoveOld(std::max<std::size_t>(options.keep, 1));
  return made;
}

}  // namespace sagalog
