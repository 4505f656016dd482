#include "eventlog/disk_faults.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace sagalog {

void DiskFaults::FailAt(std::uint64_t step, Kind kind) {
  const std::lock_guard lock(mutex_);
  fail_at_ = step;
  sticky_ = false;
  kind_ = kind;
  fired_ = false;
  operations_ = 0;
}

void DiskFaults::FailFrom(std::uint64_t step, Kind kind) {
  FailAt(step, kind);
  const std::lock_guard lock(mutex_);
  sticky_ = true;
}

void DiskFaults::Heal() {
  const std::lock_guard lock(mutex_);
  fail_at_.reset();
}

bool DiskFaults::fired() const {
  const std::lock_guard lock(mutex_);
  return fired_;
}

std::uint64_t DiskFaults::operations() const {
  const std::lock_guard lock(mutex_);
  return operations_;
}

Status DiskFaults::LoseUnsyncedBytes() {
  const std::lock_guard lock(mutex_);
  for (const auto& [path, file] : files_) {
    RETURN_IF_ERROR(Rewind(path, file));
  }
  files_.clear();
  return {};
}

std::optional<DiskFaults::Kind> DiskFaults::Count() {
  const std::lock_guard lock(mutex_);
  const std::uint64_t step = operations_++;
  if (!fail_at_ || (sticky_ ? step < *fail_at_ : step != *fail_at_)) {
    return std::nullopt;
  }
  fired_ = true;
  return kind_;
}

void DiskFaults::Appended(const std::filesystem::path& file, std::uint64_t size_bytes) {
  const std::lock_guard lock(mutex_);
  files_[file].size_bytes += size_bytes;
}

void DiskFaults::Overwrote(const std::filesystem::path& file, std::uint64_t offset,
                           std::string before) {
  const std::lock_guard lock(mutex_);
  files_[file].overwritten.emplace(offset, std::move(before));
}

void DiskFaults::Opened(const std::filesystem::path& file, std::uint64_t size_bytes) {
  const std::lock_guard lock(mutex_);
  if (!files_.contains(file)) {
    files_[file] = {.size_bytes = size_bytes, .synced_bytes = size_bytes, .overwritten = {}};
  }
}

void DiskFaults::Synced(const std::filesystem::path& file) {
  const std::lock_guard lock(mutex_);
  File& synced = files_[file];
  synced.synced_bytes = synced.size_bytes;
  synced.overwritten.clear();
}

void DiskFaults::Renamed(const std::filesystem::path& from, const std::filesystem::path& to) {
  const std::lock_guard lock(mutex_);
  if (auto node = files_.extract(from)) {
    files_.erase(to);
    node.key() = to;
    files_.insert(std::move(node));
  }
}

void DiskFaults::Removed(const std::filesystem::path& file) {
  const std::lock_guard lock(mutex_);
  files_.erase(file);
}

Status DiskFaults::Rewind(const std::filesystem::path& path, const File& file) {
  const auto failed = [&] {
    return Status(Code::kIoError, fmt::format("{}: {}", path.string(), std::strerror(errno)));
  };
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return failed();
  }
  Status result;
  for (const auto& [offset, before] : file.overwritten) {
    if (::pwrite(descriptor, before.data(), before.size(), static_cast<off_t>(offset)) < 0) {
      result = failed();
    }
  }
  const auto synced_bytes = static_cast<off_t>(file.synced_bytes);
  if (result.ok() && file.synced_bytes < file.size_bytes &&
      ::ftruncate(descriptor, synced_bytes) != 0) {
    result = failed();
  }
  ::close(descriptor);
  return result;
}

}  // namespace sagalog
