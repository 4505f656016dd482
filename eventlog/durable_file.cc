#include "eventlog/durable_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "eventlog/crc32c.h"

namespace sagalog {
namespace {

constexpr std::size_t kCopyBytes = 1U << 20;

Status CheckFault(std::string_view what, const std::filesystem::path& path, DiskFaults* faults) {
  const auto fault = faults == nullptr ? std::nullopt : faults->Count();
  if (!fault) {
    return {};
  }
  return FileFailure(what, path, *fault == DiskFaults::Kind::kNoSpace ? ENOSPC : EIO);
}

// Closes what it holds.
class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  ~Descriptor() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return descriptor_; }
  [[nodiscard]] bool ok() const { return descriptor_ >= 0; }

 private:
  int descriptor_;
};

// A new file on its way to being whole.
class NewFile {
 public:
  NewFile(std::filesystem::path path, DiskFaults* faults)
      : path_(std::move(path)),
        faults_(faults),
        file_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)),
        error_(errno) {}

  Status Append(std::string_view bytes) {
    if (!file_.ok()) {
      return FileFailure("create", path_, error_);
    }
    const Status fault = CheckFault("write", path_, faults_);
    if (!fault.ok()) {
      bytes = bytes.substr(0, bytes.size() / 2);
    }
    while (!bytes.empty()) {
      const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) {
        continue;
      }
      if (written <= 0) {
        return FileFailure("write", path_, written < 0 ? errno : ENOSPC);
      }
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return fault;
  }

  Status Finish() {
    RETURN_IF_ERROR(CheckFault("sync", path_, faults_));
    return ::fdatasync(file_.get()) == 0 ? Status() : FileFailure("sync", path_, errno);
  }

 private:
  std::filesystem::path path_;
  DiskFaults* faults_;
  Descriptor file_;
  int error_;
};

}  // namespace

Status FileFailure(std::string_view what, const std::filesystem::path& path, int error) {
  return {Code::kIoError,
          fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(error))};
}

Result<std::uint32_t> CopyFileDurably(const std::filesystem::path& from,
                                      const std::filesystem::path& to, std::uint64_t size_bytes,
                                      DiskFaults* faults) {
  const Descriptor source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!source.ok()) {
    return FileFailure("read", from, errno);
  }
  NewFile copy(to, faults);
  std::string buffer(kCopyBytes, '\0');
  std::uint32_t checksum = 0;
  std::uint64_t left = size_bytes;
  do {
    const ssize_t size =
        ::read(source.get(), buffer.data(), std::min<std::uint64_t>(left, buffer.size()));
    if (size < 0 && errno == EINTR) {
      continue;
    }
    if (size < 0) {
      return FileFailure("read", from, errno);
    }
    if (size == 0 && left > 0) {
      return Status(Code::kIoError, fmt::format("{} ends {} bytes too early", from.string(), left));
    }
    const std::string_view part(buffer.data(), static_cast<std::size_t>(size));
    checksum = Crc32c(part, checksum);
    RETURN_IF_ERROR(copy.Append(part));
    left -= part.size();
  } while (left > 0);
  RETURN_IF_ERROR(copy.Finish());
  return checksum;
}

Status WriteFileDurably(const std::filesystem::path& path, std::string_view bytes,
                        DiskFaults* faults) {
  NewFile file(path, faults);
  RETURN_IF_ERROR(file.Append(bytes));
  return file.Finish();
}

Status SyncDirectory(const std::filesystem::path& directory, DiskFaults* faults) {
  RETURN_IF_ERROR(CheckFault("sync", directory, faults));
  const Descriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.ok() || ::fsync(opened.get()) != 0) {
    return FileFailure("sync", directory, errno);
  }
  return {};
}

Status RenameDurably(const std::filesystem::path& from, const std::filesystem::path& to,
                     DiskFaults* faults) {
  RETURN_IF_ERROR(CheckFault("rename", from, faults));
  if (::rename(from.c_str(), to.c_str()) != 0) {
    return FileFailure("rename", from, errno);
  }
  RETURN_IF_ERROR(SyncDirectory(to.parent_path(), faults));
  return from.parent_path() == to.parent_path() ? Status()
                                                : SyncDirectory(from.parent_path(), faults);
}

}  // namespace sagalog
