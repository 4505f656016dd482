#include "eventlog/rocks_log.h"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <rocksdb/write_batch.h>

#include "eventlog/log_keys.h"
#include "eventlog/read_back.h"
#include "eventlog/recent_events.h"
#include "eventlog/rocks_backup.h"
#include "eventlog/rocks_opening.h"
#include "eventlog/rocks_replacing.h"
#include "eventlog/table_lookup.h"

namespace sagalog {
namespace {

// A scan longer than this reads ahead by large steps from the start.
constexpr std::uint64_t kLongScanEvents = 10'000;
constexpr std::size_t kLongScanReadAheadBytes = 2U << 20;

// Turns the errors RocksDB meets in the background into ours, and keeps it from going on by itself.
class BackgroundWatch final : public rocksdb::EventListener {
 public:
  BackgroundWatch(PoisonLatch& latch, HeadFile& head) : latch_(latch), head_(head) {}

  void OnBackgroundError(rocksdb::BackgroundErrorReason /*reason*/,
                         rocksdb::Status* error) override {
    latch_.Poison(FromRocks(*error, "the log's database failed"));
  }
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason /*reason*/, rocksdb::Status /*error*/,
                            bool* auto_recovery) override {
    *auto_recovery = false;
  }
  // Often enough that HEAD is not far behind after a power loss, and off every appender's path.
  void OnFlushCompleted(rocksdb::DB* /*db*/, const rocksdb::FlushJobInfo& /*info*/) override {
    const Status synced = head_.Sync();
    if (!synced.ok()) {
      latch_.Poison(synced);
    }
  }

 private:
  PoisonLatch& latch_;
  HeadFile& head_;
};

Status Closed() { return {Code::kCancelled, "the log is closed"}; }

// Event bytes where their 8-byte fields can be read; in a block they begin anywhere.
class AlignedBytes {
 public:
  std::string_view Assign(const rocksdb::Slice& bytes) {
    buffer_.assign(bytes.data(), bytes.size());
    return buffer_;
  }

 private:
  std::string buffer_{std::string(64, '\0')};  // from the start on the heap, which aligns it
};

// Visits events from `next` on, which it moves: those that are still as they were appended.
Status ScanRecent(RecentEvents& recent, Sequence& next, Sequence through,
                  const std::atomic<bool>& closed, const EventLog::Visitor& visitor) {
  if (next > through) {
    return {};
  }
  for (const auto& append : recent.Find(next, through)) {
    for (; next <= std::min(through, append->last()); next = next.Next()) {
      if (closed.load(std::memory_order_acquire)) {
        return Closed();
      }
      RETURN_IF_ERROR(visitor((*append)[next], append->Bytes(next)));
    }
  }
  return {};
}

}  // namespace

struct RocksLog::Database {
  rocksdb::WriteBatch batch;
  RecentEvents recent;
  RocksHandle handle;

  [[nodiscard]] rocksdb::DB& db() const { return *handle.db; }
};

RocksLog::RocksLog(std::filesystem::path directory, const RocksLogOptions& options)
    : directory_(std::move(directory)),
      options_(options),
      database_(std::make_unique<Database>()) {}

RocksLog::~RocksLog() { Close().IgnoreBecause("what was acknowledged is durable without it"); }

Result<std::unique_ptr<RocksLog>> RocksLog::Open(const std::filesystem::path& directory,
                                                 const RocksLogOptions& options) {
  std::unique_ptr<RocksLog> log(new RocksLog(directory, options));
  RETURN_IF_ERROR(options.mode == LogMode::kReadWrite ? log->OpenForWriting()
                                                      : log->OpenForReading());
  return log;
}

Status RocksLog::OpenForWriting() {
  ASSIGN_OR_RETURN(const LogEnd log_end, InspectBeforeWriting(directory_, options_));
  ASSIGN_OR_RETURN(HeadFile head, HeadFile::Open(HeadPath(directory_), options_.faults));
  head_.emplace(std::move(head));
  ASSIGN_OR_RETURN(OpenedForWriting opened,
                   OpenDatabaseForWriting(directory_, options_, log_end,
                                          std::make_shared<BackgroundWatch>(latch_, *head_)));
  database_->handle = std::move(opened.handle);
  RETURN_IF_ERROR(latch_.Health());
  ASSIGN_OR_RETURN(const Sequence acknowledged, HeadFile::Read(HeadPath(directory_)));
  if (acknowledged < opened.last) {
    RETURN_IF_ERROR(head_->Write(opened.last));
  }
  end_.Advance(opened.last);
  return {};
}

Status RocksLog::OpenForReading() {
  ASSIGN_OR_RETURN(OpenedForReading opened, OpenDatabaseForReading(directory_, options_));
  database_->handle = std::move(opened.handle);
  damage_ = std::move(opened.damage);
  if (damage_) {
    latch_.Poison(Status(Code::kCorruption, damage_->text));
  }
  end_.Advance(opened.last);
  return {};
}

Status RocksLog::Append(Sequence expected_last, std::span<const std::string_view> events) {
  const std::lock_guard lock(append_mutex_);
  if (options_.mode == LogMode::kReadOnly) {
    return {Code::kReadOnly, "the log is open for reading only"};
  }
  if (closed_.load(std::memory_order_acquire)) {
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
  const Sequence new_last(last.value() + events.size());
  const auto begun = std::chrono::steady_clock::now();
  const Status written = WriteBatchDurably(events, last);
  if (!written.ok()) {
    latch_.Poison(written);
    return {Code::kIndeterminate, fmt::format("events {} to {} may be durable or not: {}",
                                              last.value() + 1, new_last.value(), written.text())};
  }
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begun;
  figures_.seconds.Record(taken.count());
  figures_.events.Record(static_cast<double>(events.size()));
  database_->recent.Add(last.Next(), events);
  end_.Advance(new_last);
  return {};
}

Status RocksLog::WriteBatchDurably(std::span<const std::string_view> events, Sequence last) {
  rocksdb::WriteBatch& batch = database_->batch;
  batch.Clear();
  Sequence sequence = last;
  for (const std::string_view event : events) {
    sequence = sequence.Next();
    RETURN_IF_ERROR(FromRocks(batch.Put(LogKey(sequence).bytes(), event), "cannot batch"));
  }
  rocksdb::WriteOptions durable;
  durable.sync = true;
  RETURN_IF_ERROR(FromRocks(database_->db().Write(durable, &batch), "cannot write to the log"));
  return head_->Write(sequence);
}

// Damage that is found while the log is written ends the writing: what follows it could not be
// reached when the log is folded again.
Status RocksLog::Noted(Status found) const {
  if (found.code() == Code::kCorruption && options_.mode == LogMode::kReadWrite) {
    latch_.Poison(found);
  }
  return found;
}

Result<StoredEvent> RocksLog::Read(Sequence sequence) const {
  Result<StoredEvent> event = ReadVerified(sequence);
  RETURN_IF_ERROR(Noted(event.status()));
  return event;
}

Result<StoredEvent> RocksLog::ReadVerified(Sequence sequence) const {
  const std::shared_lock lock(database_mutex_);
  if (closed_.load(std::memory_order_acquire)) {
    return Closed();
  }
  if (damage_ && sequence >= damage_->first_damaged) {
    return Status(Code::kCorruption, damage_->text);
  }
  if (sequence.IsNone() || sequence > Last()) {
    return Status(Code::kNotFound, fmt::format("there is no event {}: the log ends at {}",
                                               sequence.value(), Last().value()));
  }
  std::string bytes;
  const rocksdb::Status found = database_->db().Get({}, LogKey(sequence).bytes(), &bytes);
  if (!found.ok()) {
    // The damage may be another table's.
    Result<std::string> in_table = FindInTables(database_->db(), sequence);
    if (!in_table.ok()) {
      return found.IsNotFound()
                 ? Status(Code::kCorruption, fmt::format("event {} is missing", sequence.value()))
                 : FromRocks(found, fmt::format("event {} is damaged", sequence.value()));
    }
    bytes = *std::move(in_table);
  }
  RETURN_IF_ERROR(VerifyReadBack(sequence, bytes));
  return StoredEvent(std::move(bytes));
}

Status RocksLog::Scan(Sequence from, Sequence through, const Visitor& visitor) const {
  Sequence next = std::max(from, Sequence(1));
  const Sequence end = std::min(through, Last());
  RETURN_IF_ERROR(ScanRecent(database_->recent, next, end, closed_, visitor));
  if (next <= end) {
    ChainCheck chain(next, end.value() - next.value() + 1);
    const Visitor verified = [&](const events::Event& event, std::string_view bytes) -> Status {
      if (Status broken = chain.Pass(event); !broken.ok()) {
        return Noted(std::move(broken));
      }
      RETURN_IF_ERROR(visitor(event, bytes));
      next = next.Next();
      return {};
    };
    RETURN_IF_ERROR(ScanInOneGo(next, end, verified));
    // What that could not reach is asked for by itself, so that what is damaged is named exactly.
    while (next <= end) {
      ASSIGN_OR_RETURN(const StoredEvent event, Read(next));
      RETURN_IF_ERROR(verified(*event, event.bytes()));
    }
  }
  if (damage_ && next <= through && through >= damage_->first_damaged) {
    return {Code::kCorruption, damage_->text};
  }
  return {};
}

// Ends early, without an error, at an event that RocksDB's iterator cannot reach.
Status RocksLog::ScanInOneGo(Sequence from, Sequence through, const Visitor& visitor) const {
  const std::shared_lock lock(database_mutex_);
  if (closed_.load(std::memory_order_acquire)) {
    return Closed();
  }
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  options.readahead_size =
      through.value() - from.value() > kLongScanEvents ? kLongScanReadAheadBytes : 0;
  const std::unique_ptr<rocksdb::Iterator> found(database_->db().NewIterator(options));
  AlignedBytes aligned;
  Sequence sequence = from;
  found->Seek(LogKey(from).bytes());
  while (found->Valid() && found->key() == LogKey(sequence).bytes()) {
    const std::string_view bytes = aligned.Assign(found->value());
    if (Status damaged = VerifyReadBack(sequence, bytes); !damaged.ok()) {
      return Noted(std::move(damaged));
    }
    RETURN_IF_ERROR(visitor(*events::GetEvent(bytes.data()), bytes));
    if (sequence == through) {
      break;
    }
    if (closed_.load(std::memory_order_acquire)) {
      return Closed();
    }
    sequence = sequence.Next();
    found->Next();
  }
  return {};
}

bool RocksLog::WaitBeyond(Sequence seen, std::chrono::milliseconds patience) const {
  return end_.WaitBeyond(seen, patience);
}

Status RocksLog::Maintainable() const {
  if (options_.mode == LogMode::kReadOnly || closed_.load(std::memory_order_acquire)) {
    return {Code::kReadOnly, "the log is closed, or open for reading only"};
  }
  return latch_.Writable();
}

Status RocksLog::Replace(std::span<const std::string_view> events) {
  const std::shared_lock lock(database_mutex_);
  RETURN_IF_ERROR(Maintainable());
  CheckReplacements(Last(), events);
  const Status replaced = ReplaceEvents(database_->db(), events);
  database_->recent.Clear();
  return replaced;
}

Status RocksLog::Settle() {
  const std::shared_lock lock(database_mutex_);
  RETURN_IF_ERROR(Maintainable());
  return FromRocks(database_->db().Flush({}), "cannot make stubs durable");
}

Status RocksLog::ReclaimSpace(Sequence from, Sequence through) {
  const std::shared_lock lock(database_mutex_);
  RETURN_IF_ERROR(Maintainable());
  return DropReplaced(database_->db(), from, through, closed_);
}

Result<LogBackup> RocksLog::Backup(const LogBackupOptions& options) {
  const std::shared_lock lock(database_mutex_);
  if (closed_.load(std::memory_order_acquire)) {
    return Closed();
  }
  if (options_.mode == LogMode::kReadOnly || damage_) {
    return Status(Code::kReadOnly, "a log that is open for reading only cannot be backed up");
  }
  return BackUpDatabase(database_->db(), Last(), options, options_.faults);
}

Status RocksLog::Close() {
  closed_.store(true, std::memory_order_release);
  end_.Close();
  const std::lock_guard append_lock(append_mutex_);
  const std::lock_guard lock(database_mutex_);
  if (database_->handle.db == nullptr) {
    return {};
  }
  const Status closed = FromRocks(database_->db().Close(), "cannot close the log");
  database_->handle.db.reset();
  // A sync that failed once is not tried again: it could claim what was lost.
  if (head_ && latch_.Health().ok()) {
    RETURN_IF_ERROR(head_->Sync());
  }
  return closed;
}

}  // namespace sagalog
