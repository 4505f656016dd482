#include "eventlog/disk_reserve.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "eventlog/durable_file.h"

namespace sagalog {

DiskReserve::DiskReserve(std::filesystem::path file, std::uint64_t size_bytes)
    : file_(std::move(file)), size_bytes_(size_bytes) {}

std::uint64_t DiskReserve::SizeOf(const std::filesystem::path& file) {
  // What counts is the room that it takes, not the size that it claims.
  struct stat found {};
  constexpr std::uint64_t kBlock = 512;
  return ::stat(file.c_str(), &found) == 0 ? static_cast<std::uint64_t>(found.st_blocks) * kBlock
                                           : 0;
}

Status DiskReserve::Make() const {
  const int file = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) {
    return FileFailure("create", file_, errno);
  }
  const int error = ::posix_fallocate(file, 0, static_cast<off_t>(size_bytes_));
  ::close(file);
  if (error != 0) {
    RETURN_IF_ERROR(Free());
    return FileFailure("reserve the room of", file_, error);
  }
  return {};
}

Status DiskReserve::Free() const {
  return ::unlink(file_.c_str()) == 0 || errno == ENOENT ? Status()
                                                         : FileFailure("remove", file_, errno);
}

Result<DiskReserve::Change> DiskReserve::Look(bool writing) {
  const std::uint64_t held = SizeOf(file_);
  if (size_bytes_ == 0) {
    RETURN_IF_ERROR(Free());
    return Change::kNone;
  }
  std::error_code error;
  const std::filesystem::space_info space = std::filesystem::space(file_.parent_path(), error);
  if (error) {
    return Status(Code::kIoError, fmt::format("cannot ask how much room {} has: {}",
                                              file_.parent_path().string(), error.message()));
  }
  if (!writing) {
    if (held == 0 || space.available >= size_bytes_) {
      return Change::kNone;
    }
    RETURN_IF_ERROR(Free());
    return Change::kFreed;
  }
  if (held >= size_bytes_) {
    return Change::kNone;
  }
  if (space.available + held < 2 * size_bytes_) {
    return Change::kTooFew;
  }
  RETURN_IF_ERROR(Make());
  return Change::kMade;
}

}  // namespace sagalog
