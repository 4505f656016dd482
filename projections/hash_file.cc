#include "projections/hash_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "eventlog/crc32c.h"
#include "schema/check.h"

namespace sagalog {
namespace {

// A hash, and the CRC-32C of its place and itself.
constexpr std::size_t kRecordSize = kEventHashSize + sizeof(std::uint32_t);

void AppendNumber(std::string& bytes, std::uint64_t number, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) {
    bytes += static_cast<char>(number >> (8 * i) & 0xFF);
  }
}

std::string Record(std::uint64_t index, const EventHash& hash) {
  const std::string_view view(reinterpret_cast<const char*>(hash.data()), hash.size());
  std::string place;
  AppendNumber(place, index, sizeof(index));
  std::string record(view);
  AppendNumber(record, Crc32c(view, Crc32c(place)), sizeof(std::uint32_t));
  return record;
}

}  // namespace

Result<HashFile> HashFile::Open(const std::filesystem::path& path, bool read_only) {
  const int flags = read_only ? O_RDONLY | O_CLOEXEC : O_RDWR | O_CREAT | O_CLOEXEC;
  const int descriptor = ::open(path.c_str(), flags, 0600);
  if (descriptor < 0 && read_only && errno == ENOENT) {
    return HashFile();
  }
  if (descriptor < 0) {
    return Status(Code::kIoError,
                  fmt::format("cannot open {}: {}", path.string(), std::strerror(errno)));
  }
  struct stat found {};
  HashFile file(path, descriptor, 0, read_only);
  if (::fstat(descriptor, &found) != 0) {
    return file.Failed("read", errno);
  }
  file.in_file_ = static_cast<std::uint64_t>(found.st_size) / kRecordSize;
  return file;
}

HashFile::HashFile(HashFile&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      read_only_(other.read_only_),
      in_file_(std::exchange(other.in_file_, 0)),
      in_memory_(std::move(other.in_memory_)) {}

HashFile& HashFile::operator=(HashFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(read_only_, other.read_only_);
  std::swap(in_file_, other.in_file_);
  std::swap(in_memory_, other.in_memory_);
  return *this;
}

HashFile::~HashFile() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

Status HashFile::Failed(const char* what, int error) const {
  return {Code::kIoError,
          fmt::format("cannot {} {}: {}", what, path_.string(), std::strerror(error))};
}

Result<EventHash> HashFile::Read(std::uint64_t index) const {
  ASSIGN_OR_RETURN(const std::vector<EventHash> hashes, Read(index, 1));
  return hashes.front();
}

Result<std::vector<EventHash>> HashFile::Read(std::uint64_t index, std::size_t count) const {
  CHECK(index + count <= size());
  std::vector<EventHash> hashes(count);
  const std::size_t in_file =
      index >= in_file_ ? 0 : std::min<std::uint64_t>(count, in_file_ - index);
  std::string bytes(in_file * kRecordSize, '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::pread(descriptor_, bytes.data() + done, bytes.size() - done,
                                static_cast<off_t>(index * kRecordSize + done));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return Failed("read", errno);
    }
    if (got == 0) {
      return Status(Code::kCorruption, fmt::format("{} was cut off", path_.string()));
    }
    done += static_cast<std::size_t>(got);
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (i >= in_file) {
      hashes[i] = in_memory_[index + i - in_file_];
      continue;
    }
    std::memcpy(hashes[i].data(), bytes.data() + i * kRecordSize, kEventHashSize);
    if (Record(index + i, hashes[i]) !=
        std::string_view(bytes).substr(i * kRecordSize, kRecordSize)) {
      return Status(Code::kCorruption,
                    fmt::format("{} is damaged at hash {}", path_.string(), index + i));
    }
  }
  return hashes;
}

Status HashFile::Truncate(std::uint64_t size) {
  CHECK(size <= this->size());
  if (size >= in_file_) {
    in_memory_.resize(size - in_file_);
    return {};
  }
  in_memory_.clear();
  in_file_ = size;
  if (!read_only_ && ::ftruncate(descriptor_, static_cast<off_t>(size * kRecordSize)) != 0) {
    return Failed("cut", errno);
  }
  return {};
}

Status HashFile::Flush() {
  if (read_only_ || in_memory_.empty()) {
    return {};
  }
  std::string bytes;
  for (std::size_t i = 0; i < in_memory_.size(); ++i) {
    bytes += Record(in_file_ + i, in_memory_[i]);
  }
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t written = ::pwrite(descriptor_, bytes.data() + done, bytes.size() - done,
                                     static_cast<off_t>(in_file_ * kRecordSize + done));
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      return Failed("write", written < 0 ? errno : ENOSPC);
    }
    done += static_cast<std::size_t>(written);
  }
  in_file_ += in_memory_.size();
  in_memory_.clear();
  return {};
}

}  // namespace sagalog
