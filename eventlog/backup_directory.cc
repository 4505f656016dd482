#include "eventlog/backup_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "eventlog/backup_manifest.h"
#include "eventlog/durable_file.h"

namespace sagalog {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kNumberDigits = 6;

// A directory that cannot be used is the mistake of whoever named it, unless the disk failed.
Status Failed(std::string_view what, const fs::path& path, const std::error_code& error) {
  const bool of_disk = error == std::errc::no_space_on_device || error == std::errc::io_error ||
                       error.value() == EDQUOT;
  return {of_disk ? Code::kIoError : Code::kInvalidArgument,
          fmt::format("cannot {} {}: {}", what, path.string(), error.message())};
}

std::error_code Machine(int error) { return {error, std::generic_category()}; }

// The number of a backup by its name, 0 for another name.
std::uint64_t NumberOf(const std::string& name) {
  const bool digits = name.size() >= kNumberDigits && name.size() < 19 &&
                      name.find_first_not_of("0123456789") == std::string::npos;
  return digits ? std::stoull(name) : 0;
}

bool IsBackup(const fs::path& path) {
  std::error_code error;
  return fs::exists(path / kBackupManifestName, error);
}

// Empty, or backups and nothing else.
Status CheckOnlyBackups(const fs::path& path) {
  std::error_code error;
  for (fs::directory_iterator entry(path, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const bool ours =
        name == kUnfinishedBackupName || (NumberOf(name) > 0 && IsBackup(entry->path()));
    if (!ours) {
      return {Code::kInvalidArgument,
              fmt::format("{} is neither empty nor a directory of backups (it holds {}): choose "
                          "another one",
                          path.string(), name)};
    }
  }
  return error ? Failed("list", path, error) : Status();
}

Status CreateFolder(const fs::path& path) {
  std::error_code error;
  if (!fs::create_directories(path, error) && !error) {
    return fs::is_directory(path, error)
               ? Status()
               : Status(Code::kInvalidArgument, path.string() + " is not a directory");
  }
  if (!error) {
    fs::permissions(path, fs::perms::owner_all, error);
  }
  return error ? Failed("create", path, error) : Status();
}

}  // namespace

Result<BackupDirectory> BackupDirectory::Open(const fs::path& path, DiskFaults* faults) {
  RETURN_IF_ERROR(CreateFolder(path));
  RETURN_IF_ERROR(CheckOnlyBackups(path));
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) {
    return Failed("open", path, Machine(errno));
  }
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    const int why = errno;
    ::close(descriptor);
    return why == EWOULDBLOCK
               ? Status(Code::kLocked,
                        fmt::format("another backup to {} is under way", path.string()))
               : Failed("lock", path, Machine(why));
  }
  BackupDirectory directory(path, descriptor, faults);
  std::error_code error;
  fs::remove_all(directory.unfinished(), error);
  if (error || !fs::create_directory(directory.unfinished(), error)) {
    return Failed("create", directory.unfinished(), error);
  }
  return directory;
}

std::vector<fs::path> BackupDirectory::List(const fs::path& path) {
  std::vector<fs::path> backups;
  std::error_code error;
  for (fs::directory_iterator entry(path, error), end; !error && entry != end;
       entry.increment(error)) {
    if (NumberOf(entry->path().filename().string()) > 0 && IsBackup(entry->path())) {
      backups.push_back(entry->path());
    }
  }
  std::sort(backups.begin(), backups.end(), [](const fs::path& a, const fs::path& b) {
    return NumberOf(a.filename().string()) < NumberOf(b.filename().string());
  });
  return backups;
}

Result<fs::path> BackupDirectory::Find(const fs::path& path) {
  if (IsBackup(path)) {
    return path;
  }
  const std::vector<fs::path> backups = List(path);
  if (backups.empty()) {
    return Status(Code::kNotFound, fmt::format("there is no backup in {}", path.string()));
  }
  return backups.back();
}

BackupDirectory::BackupDirectory(BackupDirectory&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      faults_(other.faults_) {}

BackupDirectory::~BackupDirectory() {
  if (descriptor_ >= 0) {
    std::error_code error;
    fs::remove_all(unfinished(), error);
    ::close(descriptor_);
  }
}

Result<fs::path> BackupDirectory::Publish() {
  const std::vector<fs::path> backups = List(path_);
  const std::uint64_t newest = backups.empty() ? 0 : NumberOf(backups.back().filename().string());
  fs::path published = path_ / fmt::format("{:0{}}", newest + 1, kNumberDigits);
  RETURN_IF_ERROR(RenameDurably(unfinished(), published, faults_));
  return published;
}

void BackupDirectory::RemoveOld(std::size_t keep) const {
  const std::vector<fs::path> backups = List(path_);
  for (std::size_t i = 0; i + keep < backups.size(); ++i) {
    // Without its manifest it is no backup any more, however far the rest gets. Under the name that
    // the next backup clears away.
    std::error_code error;
    fs::rename(backups[i], unfinished(), error);
    fs::remove_all(unfinished(), error);
  }
}

}  // namespace sagalog
