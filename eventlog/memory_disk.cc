#include "eventlog/memory_disk.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "schema/check.h"

namespace sagalog {

void MemoryDisk::InjectAfter(std::uint64_t appends, Fault fault) {
  const std::unique_lock lock(mutex_);
  appends_left_ = appends;
  fault_ = fault;
  fault_fired_ = false;
}

bool MemoryDisk::fault_fired() const {
  const std::shared_lock lock(mutex_);
  return fault_fired_;
}

void MemoryDisk::CopyTo(MemoryDisk& other) const {
  const std::shared_lock lock(mutex_);
  const std::unique_lock other_lock(other.mutex_);
  CHECK(!other.has_writer_);
  other.records_ = records_;
  other.records_.resize(synced_);
  other.synced_ = synced_;
  other.torn_.clear();
  other.head_ = std::min<std::uint64_t>(head_, synced_);
}

void MemoryDisk::LosePower() {
  const std::unique_lock lock(mutex_);
  records_.resize(synced_);
  torn_.clear();
}

void MemoryDisk::FlipByte(Sequence sequence, std::size_t offset) {
  const std::unique_lock lock(mutex_);
  CHECK(!sequence.IsNone() && sequence.value() <= records_.size());
  std::string& bytes = records_[sequence.value() - 1].bytes;
  CHECK(offset < bytes.size());
  bytes[offset] = static_cast<char>(bytes[offset] ^ 1);
}

void MemoryDisk::LoseBeyond(Sequence last) {
  const std::unique_lock lock(mutex_);
  CHECK(last.value() <= records_.size());
  records_.resize(last.value());
  synced_ = std::min(synced_, records_.size());
  torn_.clear();
}

std::optional<MemoryDisk::Fault> MemoryDisk::NextFault() {
  if (!fault_ || appends_left_ > 0) {
    appends_left_ -= fault_ ? 1 : 0;
    return std::nullopt;
  }
  fault_fired_ = true;
  return std::exchange(fault_, std::nullopt);
}

}  // namespace sagalog
