#include "eventlog/directory_owner.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <system_error>

#include <fmt/format.h>

#include "eventlog/data_directory.h"

namespace sagalog {
namespace {

namespace fs = std::filesystem;

// Whose the store is: LOCK is its oldest file, and the daemon opens it first.
std::optional<uid_t> OwnerOfStore(const fs::path& directory) {
  struct stat lock {};
  if (::stat((directory / kLockFileName).c_str(), &lock) != 0) {
    return std::nullopt;
  }
  return lock.st_uid;
}

// Whose a file would be that this process made there; nothing when it cannot make one.
std::optional<uid_t> OwnerOfNewFiles(const fs::path& directory) {
  const int descriptor = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return std::nullopt;
  }
  struct stat file {};
  const int asked = ::fstat(descriptor, &file);
  ::close(descriptor);
  return asked == 0 ? std::optional(file.st_uid) : std::nullopt;
}

}  // namespace

std::string UserName(uid_t user) {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> buffer{};
  if (::getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
    return found->pw_name;
  }
  return std::to_string(user);
}

Status CheckSameOwner(const fs::path& directory) {
  const std::optional<uid_t> owner = OwnerOfStore(directory);
  if (!owner || *owner == ::geteuid()) {
    return {};
  }
  const std::optional<uid_t> ours = OwnerOfNewFiles(directory);
  if (!ours || *ours == *owner) {
    return {};
  }
  const std::string name = UserName(*owner);
  return {Code::kReadOnly,
          fmt::format("{} belongs to the user {}, whose daemon could not open the files that {} "
                      "would leave in it: do this as that user (sudo -u {} sagalog ...)",
                      directory.string(), name, UserName(*ours), name)};
}

std::optional<ForeignFiles> FindForeignFiles(const fs::path& directory) {
  const std::optional<uid_t> owner = OwnerOfStore(directory);
  if (!owner) {
    return std::nullopt;
  }
  ForeignFiles found;
  const auto look = [&](const fs::path& path) {
    struct stat file {};
    if (::lstat(path.c_str(), &file) == 0 && file.st_uid != *owner && ++found.count == 1) {
      found.first = path;
      found.first_owner = UserName(file.st_uid);
    }
  };
  look(directory);
  std::error_code error;
  for (auto entry = fs::recursive_directory_iterator(
           directory, fs::directory_options::skip_permission_denied, error);
       !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    look(entry->path());
  }
  if (found.count == 0) {
    return std::nullopt;
  }
  found.owner = UserName(*owner);
  return found;
}

}  // namespace sagalog
