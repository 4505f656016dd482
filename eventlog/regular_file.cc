#include "eventlog/regular_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "eventlog/durable_file.h"

namespace sagalog {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kReadBytes = 1U << 20;

Status Failed(const std::filesystem::path& path, int error) {
  if (error == ENOENT) {
    return {Code::kNotFound, fmt::format("there is no {}", path.string())};
  }
  return FileFailure("read", path, error);
}

Status NotRegular(const std::filesystem::path& path, std::string_view what) {
  return {Code::kCorruption, fmt::format("{} is {}, and no regular file", path.string(), what)};
}

std::string_view InWords(mode_t mode) {
  if (S_ISDIR(mode)) {
    return "a directory";
  }
  if (S_ISFIFO(mode)) {
    return "a pipe";
  }
  if (S_ISLNK(mode)) {
    return "a symbolic link";
  }
  return S_ISSOCK(mode) ? "a socket" : "a device";
}

}  // namespace

Result<RegularFile> RegularFile::Open(const std::filesystem::path& path, Links links) {
  // Without O_NONBLOCK the opening of a pipe waits for somebody who writes.
  const int no_link = links == Links::kRefused ? O_NOFOLLOW : 0;
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | no_link);
  if (descriptor < 0) {
    const int error = errno;
    if (error == ELOOP && no_link != 0) {
      return NotRegular(path, "a symbolic link");
    }
    // What a socket, and a device without a driver, answer.
    return error == ENXIO ? NotRegular(path, "a socket or a device") : Failed(path, error);
  }
  RegularFile file(path, descriptor, 0);
  struct stat found {};
  if (::fstat(descriptor, &found) != 0) {
    return Failed(path, errno);
  }
  if (!S_ISREG(found.st_mode)) {
    return NotRegular(path, InWords(found.st_mode));
  }
  file.size_bytes_ = static_cast<std::uint64_t>(found.st_size);
  return file;
}

RegularFile::RegularFile(RegularFile&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      size_bytes_(other.size_bytes_) {}

RegularFile& RegularFile::operator=(RegularFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(size_bytes_, other.size_bytes_);
  return *this;
}

RegularFile::~RegularFile() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

int RegularFile::Release() { return std::exchange(descriptor_, -1); }

Status RegularFile::Read(const std::function<void(std::string_view part)>& take) const {
  std::string buffer(kReadBytes, '\0');
  while (true) {
    const ssize_t got = ::read(descriptor_, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return Failed(path_, errno);
    }
    if (got == 0) {
      return {};
    }
    take(std::string_view(buffer.data(), static_cast<std::size_t>(got)));
  }
}

Result<std::string> ReadRegularFile(const std::filesystem::path& path, std::uint64_t bytes_max,
                                    Links links) {
  ASSIGN_OR_RETURN(const RegularFile file, RegularFile::Open(path, links));
  if (file.size_bytes() > bytes_max) {
    return Status(Code::kCorruption, fmt::format("{} has {} bytes, and may have {}", path.string(),
                                                 file.size_bytes(), bytes_max));
  }
  // It may have grown since; what comes behind its size is not read.
  std::string text(file.size_bytes(), '\0');
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t got = ::read(file.descriptor(), text.data() + done, text.size() - done);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return Failed(path, errno);
    }
    if (got == 0) {
      break;
    }
    done += static_cast<std::size_t>(got);
  }
  text.resize(done);
  return text;
}

Status CheckRegularFiles(const fs::path& directory, Links links) {
  std::error_code error;
  if (links == Links::kRefused && fs::is_symlink(fs::symlink_status(directory, error))) {
    return NotRegular(directory, "a symbolic link");
  }
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    struct stat found {};
    const fs::path& path = entry->path();
    const int flags = links == Links::kRefused ? AT_SYMLINK_NOFOLLOW : 0;
    if (::fstatat(AT_FDCWD, path.c_str(), &found, flags) != 0) {
      continue;  // gone meanwhile, or a link to nothing: whoever needs it says so
    }
    if (!S_ISREG(found.st_mode) && !S_ISDIR(found.st_mode)) {
      return NotRegular(path, InWords(found.st_mode));
    }
  }
  return {};
}

}  // namespace sagalog
