#include "eventlog/data_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "eventlog/backup_directory.h"
#include "eventlog/backup_manifest.h"
#include "eventlog/directory_owner.h"
#include "eventlog/durable_file.h"
#include "eventlog/head_file.h"
#include "eventlog/regular_file.h"
#include "schema/store_time.h"

namespace sagalog {
namespace {

// LOCK begins with this line; docs/log-format.md has the others.
constexpr std::string_view kLockWords = "sagalog\n";
constexpr mode_t kDirectoryMode = 0700;
constexpr mode_t kLockMode = 0600;
// How much of a foreign directory is shown to whoever named it by mistake.
constexpr int kNamesShownMax = 3;

std::string ReadStart(const std::filesystem::path& path) {
  constexpr std::size_t kStartMax = 256;
  const auto file = RegularFile::Open(path);
  std::string bytes(kStartMax, '\0');
  const ssize_t got = file.ok() ? ::read(file->descriptor(), bytes.data(), bytes.size()) : 0;
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return bytes;
}

// When process `pid` started, in clock ticks since boot; nothing if there is none.
std::optional<std::uint64_t> ProcessStart(std::uint64_t pid) {
  constexpr int kStartField = 22;
  constexpr int kFirstFieldBehindName = 3;
  std::ifstream stream(fmt::format("/proc/{}/stat", pid));
  std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  // The name may hold anything, spaces and brackets too: what counts is behind its last bracket.
  std::size_t at = text.rfind(')');
  for (int field = kFirstFieldBehindName; at != std::string::npos && field <= kStartField;
       ++field) {
    at = text.find(' ', at + 1);
  }
  std::uint64_t start = 0;
  if (at == std::string::npos ||
      std::from_chars(text.data() + at + 1, text.data() + text.size(), start).ec != std::errc()) {
    return std::nullopt;
  }
  return start;
}

// The number behind `word` in LOCK's text.
std::optional<std::uint64_t> LockField(std::string_view text, std::string_view word) {
  const std::size_t at = text.find(fmt::format("\n{} ", word));
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  std::uint64_t value = 0;
  const char* const begin = text.data() + at + word.size() + 2;
  if (std::from_chars(begin, text.data() + text.size(), value).ec != std::errc()) {
    return std::nullopt;
  }
  return value;
}

// Who holds the lock. The text is written just after the lock is taken, and a process that died
// left its own: only one that names a living process is believed.
Status HeldBy(const std::filesystem::path& path) {
  const std::filesystem::path lock = path / kLockFileName;
  const std::string text = ReadStart(lock);
  const auto pid = LockField(text, "pid");
  const auto start = LockField(text, "start");
  struct stat file {};
  if (!pid || !start || ProcessStart(*pid) != start || ::stat(lock.c_str(), &file) != 0) {
    return {Code::kLocked, fmt::format("{} is held by another process", path.string())};
  }
  const auto since =
      std::chrono::seconds(file.st_mtim.tv_sec) + std::chrono::nanoseconds(file.st_mtim.tv_nsec);
  return {Code::kLocked,
          fmt::format("{} is held by process {} (since {})", path.string(), *pid,
                      FormatTime(StoreTime(std::chrono::duration_cast<Duration>(since))))};
}

// Opening file descriptions exclude each other, also two in one process.
struct flock WholeFile() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

// Empty, half created by an opening that died, or with a LOCK or HEAD that we wrote.
Status CheckOurs(const std::filesystem::path& path) {
  std::string names;
  int shown = 0;
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator(path, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name == kLockFileName && ReadStart(entry->path()).empty()) {
      continue;
    }
    if ((name == kLockFileName && ReadStart(entry->path()).starts_with(kLockWords)) ||
        (name == kHeadFileName && ReadStart(entry->path()).starts_with(kHeadMagic))) {
      return {};
    }
    if (++shown <= kNamesShownMax) {
      names += names.empty() ? name : ", " + name;
    }
  }
  if (error) {
    return {Code::kIoError, fmt::format("cannot list {}: {}", path.string(), error.message())};
  }
  if (shown == 0) {
    return {};
  }
  if (const auto backups = BackupDirectory::List(path); !backups.empty()) {
    return {Code::kInvalidArgument,
            fmt::format("{} is a directory of backups: name one of them to look into it, such as "
                        "{}; sagalog restore {} --data DIR brings the newest back",
                        path.string(), backups.back().string(), path.string())};
  }
  return {Code::kInvalidArgument,
          fmt::format("{} is not a sagalog data directory (it holds {}{}); choose an empty one",
                      path.string(), names, shown > kNamesShownMax ? ", …" : "")};
}

// What is to be brought back one day must be what was put away: one write, and it is no backup.
Status CheckNoBackup(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path / kBackupManifestName, error)) {
    return {};
  }
  return {Code::kReadOnly, fmt::format("{} is a backup, which can only be read: sagalog restore {} "
                                       "--data DIR makes a store of it",
                                       path.string(), path.string())};
}

// True when the directory is there and ours, false when it is to be created or taken.
Result<bool> Inspect(const std::filesystem::path& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) {
    return errno == ENOENT ? Result<bool>(false) : FileFailure("open", path, errno);
  }
  if (!S_ISDIR(file.st_mode)) {
    return Status(Code::kInvalidArgument, fmt::format("{} is not a directory", path.string()));
  }
  RETURN_IF_ERROR(CheckOurs(path));
  std::error_code error;
  return std::filesystem::exists(path / kLockFileName, error) ||
         std::filesystem::exists(path / kHeadFileName, error);
}

Status Create(const std::filesystem::path& path) {
  std::error_code error;
  if (path.has_parent_path()) {
    std::filesystem::create_directories(path.parent_path(), error);
  }
  if (error) {
    return {Code::kIoError, fmt::format("cannot create {}: {}", path.string(), error.message())};
  }
  if (::mkdir(path.c_str(), kDirectoryMode) == 0) {
    return {};
  }
  // An empty one was there: from now on it is nobody else's business.
  if (errno != EEXIST || ::chmod(path.c_str(), kDirectoryMode) != 0) {
    return FileFailure("create", path, errno);
  }
  return {};
}

Status WriteHolder(int descriptor, const std::filesystem::path& path) {
  const auto pid = static_cast<std::uint64_t>(::getpid());
  const std::string text =
      fmt::format("{}pid {}\nstart {}\n", kLockWords, pid, ProcessStart(pid).value_or(0));
  if (::ftruncate(descriptor, 0) != 0 ||
      ::pwrite(descriptor, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    return FileFailure("write", path / kLockFileName, errno);
  }
  return {};
}

}  // namespace

Result<DataDirectory> DataDirectory::Open(const std::filesystem::path& path, LogMode mode) {
  ASSIGN_OR_RETURN(const bool exists, Inspect(path));
  if (mode == LogMode::kReadOnly) {
    if (!exists) {
      return Status(Code::kNotFound,
                    fmt::format("there is no sagalog data directory at {}; `sagalog plan` or "
                                "`sagalog serve` creates one",
                                path.string()));
    }
    return DataDirectory(path, -1);
  }
  RETURN_IF_ERROR(CheckNoBackup(path));
  RETURN_IF_ERROR(CheckSameOwner(path));
  if (!exists) {
    RETURN_IF_ERROR(Create(path));
  }
  const std::filesystem::path lock_path = path / kLockFileName;
  const int descriptor = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kLockMode);
  if (descriptor < 0) {
    return FileFailure("write", lock_path, errno);
  }
  DataDirectory directory(path, -1);
  struct flock lock = WholeFile();
  if (::fcntl(descriptor, F_OFD_SETLK, &lock) != 0) {
    const int error = errno;
    ::close(descriptor);
    return error == EAGAIN || error == EACCES ? HeldBy(path)
                                              : FileFailure("lock", lock_path, error);
  }
  directory.lock_descriptor_ = descriptor;
  RETURN_IF_ERROR(WriteHolder(descriptor, path));
  return directory;
}

bool DataDirectory::HasWriter(const std::filesystem::path& path) {
  const int descriptor = ::open((path / kLockFileName).c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0) {
    return false;
  }
  struct flock lock = WholeFile();
  const int asked = ::fcntl(descriptor, F_OFD_GETLK, &lock);
  ::close(descriptor);
  return asked == 0 && lock.l_type != F_UNLCK;
}

DataDirectory::DataDirectory(std::filesystem::path path, int lock_descriptor)
    : path_(std::move(path)), lock_descriptor_(lock_descriptor) {}

DataDirectory::DataDirectory(DataDirectory&& other) noexcept
    : path_(std::move(other.path_)), lock_descriptor_(std::exchange(other.lock_descriptor_, -1)) {}

DataDirectory& DataDirectory::operator=(DataDirectory&& other) noexcept {
  if (this != &other) {
    Release();
    path_ = std::move(other.path_);
    lock_descriptor_ = std::exchange(other.lock_descriptor_, -1);
  }
  return *this;
}

DataDirectory::~DataDirectory() { Release(); }

void DataDirectory::Release() {
  if (lock_descriptor_ < 0) {
    return;
  }
  // Nobody is named who no longer holds it; the file itself stays as the mark of a directory of
  // ours. If that fails, the next one looks whether the process named still lives.
  [[maybe_unused]] const int cut =
      ::ftruncate(lock_descriptor_, static_cast<off_t>(kLockWords.size()));
  ::close(std::exchange(lock_descriptor_, -1));
}

}  // namespace sagalog
