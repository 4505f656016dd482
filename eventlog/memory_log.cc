#include "eventlog/memory_log.h"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "eventlog/crc32c.h"
#include "eventlog/read_back.h"

namespace sagalog {
namespace {

Status Closed() { return {Code::kCancelled, "the log is closed"}; }

}  // namespace

Result<std::unique_ptr<MemoryLog>> MemoryLog::Open(MemoryDisk& disk, LogMode mode) {
  const std::unique_lock lock(disk.mutex_);
  if (mode == LogMode::kReadWrite && disk.has_writer_) {
    return Status(Code::kLocked, "another log is open on this disk");
  }
  std::optional<Damage> damage;
  std::uint64_t last = 0;
  for (const MemoryDisk::Record& record : disk.records_) {
    if (Crc32c(record.bytes) != record.checksum) {
      damage = {Sequence(last + 1), fmt::format("event {} is damaged: wrong checksum", last + 1)};
      break;
    }
    ++last;
  }
  if (!damage && last < disk.head_) {
    damage = {Sequence(last + 1), fmt::format("events {} to {} are lost: they were acknowledged, "
                                              "but the log ends at {}",
                                              last + 1, disk.head_, last)};
  }
  if (damage && mode == LogMode::kReadWrite) {
    return Status(Code::kCorruption, damage->text);
  }
  std::unique_ptr<MemoryLog> log(new MemoryLog(disk, mode));
  if (mode == LogMode::kReadWrite) {
    disk.torn_.clear();
    disk.synced_ = disk.records_.size();
    disk.head_ = last;
    disk.has_writer_ = true;
  }
  log->damage_ = std::move(damage);
  if (log->damage_) {
    log->latch_.Poison(Status(Code::kCorruption, log->damage_->text));
  }
  log->end_.Advance(Sequence(last));
  return log;
}

MemoryLog::~MemoryLog() { Close().IgnoreBecause("memory needs no flushing"); }

Status MemoryLog::Append(Sequence expected_last, std::span<const std::string_view> events) {
  const std::lock_guard append_lock(append_mutex_);
  const std::unique_lock lock(disk_.mutex_);
  if (mode_ == LogMode::kReadOnly) {
    return {Code::kReadOnly, "the log is open for reading only"};
  }
  if (closed_) {
    return {Code::kReadOnly, "the log is closed"};
  }
  RETURN_IF_ERROR(latch_.Writable());
  const Sequence last = end_.Last();
  if (expected_last != last) {
    return Conflict(last, expected_last);
  }
  if (events.empty()) {
    return {};
  }
  RETURN_IF_ERROR(CheckBatch(last, events));
  const Status written = WriteBatchDurably(events);
  if (!written.ok()) {
    latch_.Poison(Status(Code::kIoError, written.text()));
    return written;
  }
  disk_.head_ = last.value() + events.size();
  end_.Advance(Sequence(disk_.head_));
  return {};
}

// As the disk is told to; the caller holds its mutex.
Status MemoryLog::WriteBatchDurably(std::span<const std::string_view> events) {
  const std::optional<MemoryDisk::Fault> fault = disk_.NextFault();
  if (fault == MemoryDisk::Fault::kWriteFails) {
    return {Code::kIoError, "injected: nothing was written"};
  }
  if (fault == MemoryDisk::Fault::kTornWrite) {
    disk_.torn_ = std::string(events.front().substr(0, events.front().size() / 2));
    return {Code::kIndeterminate, "injected: the write failed"};
  }
  for (const std::string_view event : events) {
    disk_.records_.push_back({std::string(event), Crc32c(event)});
  }
  if (fault == MemoryDisk::Fault::kSyncFails) {
    return {Code::kIndeterminate, "injected: the sync failed"};
  }
  disk_.synced_ = disk_.records_.size();
  if (fault == MemoryDisk::Fault::kAnswerLost) {
    return {Code::kIndeterminate, "injected: the answer was lost"};
  }
  return {};
}

Status MemoryLog::Noted(Status found) const {
  if (found.code() == Code::kCorruption && mode_ == LogMode::kReadWrite) {
    latch_.Poison(found);
  }
  return found;
}

Result<StoredEvent> MemoryLog::Read(Sequence sequence) const {
  Result<StoredEvent> event = ReadVerified(sequence);
  RETURN_IF_ERROR(Noted(event.status()));
  return event;
}

Result<StoredEvent> MemoryLog::ReadVerified(Sequence sequence) const {
  std::string bytes;
  {
    const std::shared_lock lock(disk_.mutex_);
    if (closed_) {
      return Closed();
    }
    if (damage_ && sequence >= damage_->first_damaged) {
      return Status(Code::kCorruption, damage_->text);
    }
    if (sequence.IsNone() || sequence > Last()) {
      return Status(Code::kNotFound, fmt::format("there is no event {}: the log ends at {}",
                                                 sequence.value(), Last().value()));
    }
    const MemoryDisk::Record& record = disk_.records_[sequence.value() - 1];
    if (Crc32c(record.bytes) != record.checksum) {
      return Status(Code::kCorruption,
                    fmt::format("event {} is damaged: wrong checksum", sequence.value()));
    }
    bytes = record.bytes;
  }
  RETURN_IF_ERROR(VerifyReadBack(sequence, bytes));
  return StoredEvent(std::move(bytes));
}

Status MemoryLog::Scan(Sequence from, Sequence through, const Visitor& visitor) const {
  from = std::max(from, Sequence(1));
  const Sequence end = std::min(through, Last());
  ChainCheck chain(from, end < from ? 0 : end.value() - from.value() + 1);
  for (Sequence sequence = from; sequence <= end; sequence = sequence.Next()) {
    ASSIGN_OR_RETURN(const StoredEvent event, Read(sequence));
    RETURN_IF_ERROR(Noted(chain.Pass(*event)));
    RETURN_IF_ERROR(visitor(*event, event.bytes()));
  }
  if (damage_ && from <= through && through >= damage_->first_damaged) {
    return {Code::kCorruption, damage_->text};
  }
  return {};
}

bool MemoryLog::WaitBeyond(Sequence seen, std::chrono::milliseconds patience) const {
  return end_.WaitBeyond(seen, patience);
}

Status MemoryLog::Replace(std::span<const std::string_view> events) {
  const std::unique_lock lock(disk_.mutex_);
  if (mode_ == LogMode::kReadOnly || closed_) {
    return {Code::kReadOnly, "the log is closed, or open for reading only"};
  }
  RETURN_IF_ERROR(latch_.Writable());
  CheckReplacements(Last(), events);
  for (const std::string_view event : events) {
    disk_.records_[PeekSequence(event)->value() - 1] = {std::string(event), Crc32c(event)};
  }
  return {};
}

Result<LogBackup> MemoryLog::Backup(const LogBackupOptions& /*options*/) {
  return Status(Code::kInvalidArgument, "a log in memory cannot be backed up to a directory");
}

Status MemoryLog::Close() {
  {
    const std::unique_lock lock(disk_.mutex_);
    if (!closed_ && mode_ == LogMode::kReadWrite) {
      disk_.has_writer_ = false;
    }
    closed_ = true;
  }
  // Whoever this wakes finds the log closed.
  end_.Close();
  return {};
}

}  // namespace sagalog
