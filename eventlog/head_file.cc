#include "eventlog/head_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "eventlog/crc32c.h"
#include "eventlog/durable_file.h"
#include "eventlog/regular_file.h"

namespace sagalog {
namespace {

constexpr std::size_t kFileSize = kHeadSlots * kHeadSlotSize;
using Bytes = std::array<char, kFileSize>;

Status FaultOf(const std::filesystem::path& path, std::string_view what, DiskFaults::Kind kind) {
  return FileFailure(what, path, kind == DiskFaults::Kind::kNoSpace ? ENOSPC : EIO);
}

std::string Record(Sequence last) {
  std::string record(kHeadMagic);
  for (int shift = 0; shift < 64; shift += 8) {
    record.push_back(static_cast<char>(last.value() >> shift));
  }
  const std::uint32_t checksum = Crc32c(record);
  for (int shift = 0; shift < 32; shift += 8) {
    record.push_back(static_cast<char>(checksum >> shift));
  }
  return record;
}

// Nothing when the slot was torn, or is not filled yet.
std::optional<Sequence> ParseSlot(std::string_view slot) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(value); ++i) {
    const auto byte = static_cast<unsigned char>(slot[kHeadMagic.size() + i]);
    value |= std::uint64_t{byte} << (8 * i);
  }
  if (slot.substr(0, kHeadRecordSize) != Record(Sequence(value))) {
    return std::nullopt;
  }
  return Sequence(value);
}

std::array<std::optional<Sequence>, kHeadSlots> ParseSlots(const Bytes& bytes) {
  std::array<std::optional<Sequence>, kHeadSlots> slots;
  for (std::size_t i = 0; i < kHeadSlots; ++i) {
    slots[i] = ParseSlot(std::string_view(bytes.data() + i * kHeadSlotSize, kHeadSlotSize));
  }
  return slots;
}

// A file that is too short reads as empty slots at its end.
Result<Bytes> ReadBytes(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(const RegularFile file, RegularFile::Open(path));
  Bytes bytes{};
  if (::pread(file.descriptor(), bytes.data(), bytes.size(), 0) < 0) {
    return FileFailure("read", path, errno);
  }
  return bytes;
}

std::optional<DiskFaults::Kind> CountFault(DiskFaults* faults) {
  return faults == nullptr ? std::nullopt : faults->Count();
}

// Under another name first, so that a HEAD that is there is whole. At its full size from the
// start: no later write can fail for want of space.
Status Create(const std::filesystem::path& path, DiskFaults* faults) {
  const std::filesystem::path unfinished = path.string() + ".new";
  const int descriptor = ::open(unfinished.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return FileFailure("create", path, errno);
  }
  const std::string bytes = HeadFile::Encode(Sequence());
  const auto fault = CountFault(faults);
  const ssize_t written = ::pwrite(descriptor, bytes.data(), fault ? 1 : bytes.size(), 0);
  const bool durable = written == static_cast<ssize_t>(kFileSize) && ::fsync(descriptor) == 0;
  const int error = errno;
  ::close(descriptor);
  if (fault) {
    return FaultOf(path, "create", *fault);
  }
  if (!durable) {
    return FileFailure("create", path, error);
  }
  if (::rename(unfinished.c_str(), path.c_str()) != 0) {
    return FileFailure("create", path, errno);
  }
  return SyncDirectory(path.parent_path(), nullptr);
}

}  // namespace

Result<Sequence> HeadFile::Read(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(const Bytes bytes, ReadBytes(path));
  std::optional<Sequence> newest;
  for (const std::optional<Sequence>& slot : ParseSlots(bytes)) {
    if (slot && (!newest || *slot > *newest)) {
      newest = slot;
    }
  }
  if (!newest) {
    return Status(Code::kCorruption, path.string() + " holds no whole record");
  }
  return *newest;
}

std::string HeadFile::Encode(Sequence last) {
  std::string bytes(kFileSize, '\0');
  const std::string record = Record(last);
  for (std::size_t i = 0; i < kHeadSlots; ++i) {
    record.copy(bytes.data() + i * kHeadSlotSize, kHeadRecordSize);
  }
  return bytes;
}

Result<HeadFile> HeadFile::Open(const std::filesystem::path& path, DiskFaults* faults) {
  Result<Bytes> before = ReadBytes(path);
  if (!before.ok() && before.status().code() == Code::kNotFound) {
    RETURN_IF_ERROR(Create(path, faults));
    before = ReadBytes(path);
  }
  RETURN_IF_ERROR(before.status());
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) {
    return FileFailure("open", path, errno);
  }
  HeadFile head(path, descriptor, faults);
  // The newest slot stays until another one is whole.
  const auto slots = ParseSlots(*before);
  head.next_slot_ = slots[0] && (!slots[1] || *slots[0] >= *slots[1]) ? 1 : 0;
  return head;
}

HeadFile::HeadFile(std::filesystem::path path, int descriptor, DiskFaults* faults)
    : path_(std::move(path)), descriptor_(descriptor), faults_(faults) {}

HeadFile::HeadFile(HeadFile&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      faults_(other.faults_),
      next_slot_(other.next_slot_) {}

HeadFile::~HeadFile() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

Status HeadFile::Write(Sequence last) {
  const auto offset = static_cast<off_t>(next_slot_ * kHeadSlotSize);
  const std::string record = Record(last);
  std::size_t size = record.size();
  std::optional<DiskFaults::Kind> fault;
  if (faults_ != nullptr) {
    std::string before(record.size(), '\0');
    if (::pread(descriptor_, before.data(), before.size(), offset) < 0) {
      return FileFailure("read", path_, errno);
    }
    faults_->Overwrote(path_, next_slot_ * kHeadSlotSize, std::move(before));
    fault = faults_->Count();
    size = fault ? size / 2 : size;
  }
  const ssize_t written = ::pwrite(descriptor_, record.data(), size, offset);
  if (written < 0) {
    return FileFailure("write", path_, errno);
  }
  if (fault) {
    return FaultOf(path_, "write", *fault);
  }
  if (static_cast<std::size_t>(written) != record.size()) {
    return FileFailure("write", path_, ENOSPC);
  }
  next_slot_ = (next_slot_ + 1) % kHeadSlots;
  return {};
}

Status HeadFile::Sync() {
  if (const auto fault = CountFault(faults_)) {
    return FaultOf(path_, "sync", *fault);
  }
  if (::fdatasync(descriptor_) != 0) {
    return FileFailure("sync", path_, errno);
  }
  if (faults_ != nullptr) {
    faults_->Synced(path_);
  }
  return {};
}

}  // namespace sagalog
