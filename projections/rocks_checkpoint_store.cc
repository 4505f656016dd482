#include "projections/rocks_checkpoint_store.h"

#include <utility>

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/merge_operator.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include "eventlog/database_lock.h"
#include "eventlog/file_removal.h"
#include "projections/read_models.h"
#include "projections/store_row.h"
#include "schema/check.h"

namespace sagalog {
namespace {

// In the order of RowFamily.
constexpr std::array<const char*, kRowFamilies> kFamilyNames = {
    "default", "live", "ended", "by_plan", "keys", "generations", "requests"};
// A reader beside a writer may find a file of its list of files deleted meanwhile: it lists again.
constexpr int kReadOnlyAttempts = 5;
// For blocks, filters and indexes of all families: what does not fit is read again, mostly from the
// page cache.
constexpr std::size_t kRowCacheBytes = 4UL << 20;

rocksdb::Slice SliceOf(std::string_view text) { return {text.data(), text.size()}; }

std::string_view SliceView(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

Status FromRocks(const rocksdb::Status& status) {
  if (status.ok()) {
    return {};
  }
  const std::string text = "projections: " + status.ToString();
  // A family missing or too many is another layout, or a part of the database lost.
  if (status.IsCorruption() || status.IsInvalidArgument() || status.IsNotSupported()) {
    return {Code::kCorruption, text};
  }
  if (SaysTaken(text)) {
    return {Code::kLocked, text};
  }
  return {Code::kIoError, text};
}

// Of several generations of a key, the row of the newest: an older one may settle its
// compensations, and so be written as ended, after a newer one.
class NewestGeneration final : public rocksdb::AssociativeMergeOperator {
 public:
  bool Merge(const rocksdb::Slice& /*key*/, const rocksdb::Slice* existing,
             const rocksdb::Slice& value, std::string* result,
             rocksdb::Logger* /*logger*/) const override {
    const bool keep = existing != nullptr && existing->compare(value) > 0;
    result->assign(keep ? existing->ToString() : value.ToString());
    return true;
  }
  const char* Name() const override { return "sagalog.NewestGeneration"; }
};

// Nobody reads RocksDB's own notes; its errors come back as values. Its writer of notes aborts the
// process when the disk is full.
class SilentLogger final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char* /*format*/, va_list /*arguments*/) override {}
};

rocksdb::Options DatabaseOptions() {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.atomic_flush = true;
  options.max_background_jobs = 2;
  // Rows go to the disk as they are written, a little at a time: a whole table synced at once would
  // hold up the log's next sync, and every command with it.
  options.bytes_per_sync = 256UL << 10;
  options.strict_bytes_per_sync = true;
  options.info_log = std::make_shared<SilentLogger>();
  return options;
}

rocksdb::ColumnFamilyOptions FamilyOptions(RowFamily family,
                                           const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions options;
  options.compression = rocksdb::kLZ4Compression;
  // A checkpoint is flushed as soon as it is written; what fits no buffer is only flushed twice.
  options.write_buffer_size = 64UL << 20;
  rocksdb::BlockBasedTableOptions table;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.format_version = 5;
  // Filters and indexes grow with the history, memory must not: they are read in parts, and kept
  // in the one cache.
  table.block_cache = cache;
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  if (family == RowFamily::kKeys) {
    options.merge_operator = std::make_shared<NewestGeneration>();
  }
  return options;
}

std::vector<rocksdb::ColumnFamilyDescriptor> Descriptors() {
  const std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(kRowCacheBytes);
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (std::size_t i = 0; i < kRowFamilies; ++i) {
    descriptors.emplace_back(kFamilyNames[i], FamilyOptions(static_cast<RowFamily>(i), cache));
  }
  return descriptors;
}

// A key in words: as it is when it can be read.
std::string Shown(std::string_view key) {
  std::string shown;
  for (const char byte : key) {
    const auto code = static_cast<unsigned char>(byte);
    shown += code >= 0x20 && code < 0x7f ? std::string(1, byte) : fmt::format("\\x{:02x}", code);
  }
  return shown;
}

}  // namespace

RocksCheckpointStore::RocksCheckpointStore(Mode mode, std::filesystem::path directory)
    : mode_(mode), directory_(std::move(directory)) {}

RocksCheckpointStore::~RocksCheckpointStore() {
  Close().IgnoreBecause("what was committed is durable");
}

Result<std::unique_ptr<CheckpointStore>> RocksCheckpointStore::Open(
    const std::filesystem::path& directory, Mode mode) {
  std::unique_ptr<RocksCheckpointStore> store(new RocksCheckpointStore(mode, directory));
  RETURN_IF_ERROR(store->OpenDatabase());
  RETURN_IF_ERROR(store->ReadSequence());
  return std::unique_ptr<CheckpointStore>(std::move(store));
}

Status RocksCheckpointStore::OpenDatabase() {
  rocksdb::Options options = DatabaseOptions();
  rocksdb::DB* database = nullptr;
  if (mode_ == Mode::kInMemory) {
    memory_.reset(rocksdb::NewMemEnv(rocksdb::Env::Default()));
    options.env = memory_.get();
  }
  if (mode_ != Mode::kReadOnly) {
    const std::string path = mode_ == Mode::kInMemory ? "/rows" : directory_.string();
    RETURN_IF_ERROR(
        FromRocks(rocksdb::DB::Open(options, path, Descriptors(), &handles_, &database)));
    database_.reset(database);
    return {};
  }
  std::error_code error;
  if (!std::filesystem::exists(directory_ / "CURRENT", error)) {
    return {Code::kNotFound, "there are no projections in " + directory_.string()};
  }
  options.create_if_missing = false;
  rocksdb::Status opened;
  for (int attempt = 0; attempt < kReadOnlyAttempts; ++attempt) {
    opened = rocksdb::DB::OpenForReadOnly(options, directory_.string(), Descriptors(), &handles_,
                                          &database);
    if (opened.ok()) {
      database_.reset(database);
      return {};
    }
  }
  return FromRocks(opened);
}

Status RocksCheckpointStore::ReadSequence() {
  ASSIGN_OR_RETURN(const auto meta, Read(RowFamily::kMeta, kMetaRowKey));
  if (meta) {
    ASSIGN_OR_RETURN(const StoreRow row, DecodeStoreRow(*meta));
    sequence_ = row.sequence.value();
  }
  return {};
}

Status RocksCheckpointStore::Close() {
  if (!database_) {
    return {};
  }
  for (rocksdb::ColumnFamilyHandle* handle : handles_) {
    FromRocks(database_->DestroyColumnFamilyHandle(handle))
        .IgnoreBecause("the database is closed next");
  }
  handles_.clear();
  const Status closed = FromRocks(database_->Close());
  database_.reset();
  return closed;
}

rocksdb::ColumnFamilyHandle* RocksCheckpointStore::HandleOf(RowFamily family) const {
  return handles_[static_cast<std::size_t>(family)];
}

Status RocksCheckpointStore::Commit(CheckpointBatch& batch) {
  if (!database_ || mode_ == Mode::kReadOnly) {
    return {Code::kReadOnly, "the projections' rows are not open for writing"};
  }
  rocksdb::WriteBatch writes;
  rocksdb::Status added;
  batch.Visit([&](const CheckpointBatch::Row& row) {
    if (!added.ok()) {
      return;
    }
    rocksdb::ColumnFamilyHandle* handle = HandleOf(row.family);
    const rocksdb::Slice key = SliceOf(row.key);
    if (row.is_delete) {
      added = writes.Delete(handle, key);
    } else if (row.family == RowFamily::kKeys) {
      added = writes.Merge(handle, key, SliceOf(row.value));
    } else {
      added = writes.Put(handle, key, SliceOf(row.value));
    }
  });
  RETURN_IF_ERROR(FromRocks(added));
  RETURN_IF_ERROR(FromRocks(
      writes.Put(HandleOf(RowFamily::kMeta), SliceOf(kMetaRowKey), SliceOf(batch.meta()))));
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  RETURN_IF_ERROR(FromRocks(database_->Write(options, &writes)));
  RETURN_IF_ERROR(FromRocks(database_->Flush(rocksdb::FlushOptions(), handles_)));
  sequence_ = batch.sequence().value();
  batch.Clear();
  return {};
}

Status RocksCheckpointStore::Load(Projections& projections) {
  ASSIGN_OR_RETURN(const auto meta, Read(RowFamily::kMeta, kMetaRowKey));
  if (!meta) {
    return {};
  }
  ASSIGN_OR_RETURN(StoreRow store, DecodeStoreRow(*meta));
  projections.models().Restore(std::move(store));
  const auto rows = Iterate(RowFamily::kLive);
  for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
    ASSIGN_OR_RETURN(LiveRow row, DecodeLiveRow(SliceView(rows->value())));
    if (row.saga.id != SliceView(rows->key())) {
      return {Code::kCorruption, fmt::format("the row of saga {} holds saga {}",
                                             Shown(SliceView(rows->key())), row.saga.id)};
    }
    projections.models().Restore(std::move(row));
  }
  return FromRocks(rows->status());
}

Result<std::optional<std::string>> RocksCheckpointStore::Read(RowFamily family,
                                                              std::string_view key) const {
  if (database_ == nullptr) {
    return Status(Code::kCancelled, "the store is closed");
  }
  std::string value;
  const rocksdb::Status status =
      database_->Get(rocksdb::ReadOptions(), HandleOf(family), SliceOf(key), &value);
  if (status.IsNotFound()) {
    return std::optional<std::string>();
  }
  RETURN_IF_ERROR(FromRocks(status));
  return std::optional(std::move(value));
}

std::unique_ptr<rocksdb::Iterator> RocksCheckpointStore::Iterate(
    RowFamily family, const rocksdb::ReadOptions& options) const {
  CHECK(database_ != nullptr);
  return std::unique_ptr<rocksdb::Iterator>(database_->NewIterator(options, HandleOf(family)));
}

Status RocksCheckpointStore::Told(const rocksdb::Status& status) { return FromRocks(status); }

Result<std::optional<Saga>> RocksCheckpointStore::FindSaga(std::string_view saga_id) const {
  ASSIGN_OR_RETURN(const auto row, Read(RowFamily::kEnded, saga_id));
  if (!row) {
    return std::optional<Saga>();
  }
  ASSIGN_OR_RETURN(Saga saga, DecodeEndedRow(*row));
  return std::optional(std::move(saga));
}

Result<std::optional<EndedKey>> RocksCheckpointStore::FindKey(std::string_view key) const {
  ASSIGN_OR_RETURN(const auto row, Read(RowFamily::kKeys, key));
  if (!row) {
    return std::optional<EndedKey>();
  }
  ASSIGN_OR_RETURN(EndedKey ended, DecodeKeyRow(*row));
  return std::optional(std::move(ended));
}

Result<std::optional<EndedRequest>> RocksCheckpointStore::FindPlanRequest(std::uint64_t high,
                                                                          std::uint64_t low) const {
  ASSIGN_OR_RETURN(const auto row, Read(RowFamily::kRequests, RequestRowKey(high, low)));
  if (!row) {
    return std::optional<EndedRequest>();
  }
  ASSIGN_OR_RETURN(EndedRequest request, DecodeRequestRow(*row));
  return std::optional(std::move(request));
}

Result<std::vector<std::string>> RocksCheckpointStore::Generations(std::string_view key) const {
  std::vector<std::string> sagas;
  const std::string prefix = GenerationRowPrefix(key);
  const auto rows = Iterate(RowFamily::kGenerations);
  for (rows->Seek(prefix); rows->Valid() && SliceView(rows->key()).starts_with(prefix);
       rows->Next()) {
    sagas.push_back(rows->value().ToString());
  }
  RETURN_IF_ERROR(FromRocks(rows->status()));
  return sagas;
}

Result<std::vector<Saga>> RocksCheckpointStore::EndedAfter(Sequence after,
                                                           std::size_t limit) const {
  std::vector<Saga> sagas;
  const auto rows = Iterate(RowFamily::kByPlan);
  for (rows->Seek(PlanRowKey(after.Next())); rows->Valid() && sagas.size() < limit; rows->Next()) {
    ASSIGN_OR_RETURN(auto saga, FindSaga(SliceView(rows->value())));
    if (!saga) {
      return Status(Code::kCorruption, fmt::format("the row of the ended saga {} is missing",
                                                   Shown(SliceView(rows->value()))));
    }
    sagas.push_back(*std::move(saga));
  }
  RETURN_IF_ERROR(FromRocks(rows->status()));
  return sagas;
}

Result<std::optional<std::string>> RocksCheckpointStore::FirstDifference(
    const CheckpointStore& other) const {
  const auto& others = dynamic_cast<const RocksCheckpointStore&>(other);
  for (std::size_t i = 0; i < kRowFamilies; ++i) {
    const auto family = static_cast<RowFamily>(i);
    const auto mine = Iterate(family);
    const auto theirs = others.Iterate(family);
    mine->SeekToFirst();
    theirs->SeekToFirst();
    for (; mine->Valid() && theirs->Valid() && mine->key() == theirs->key() &&
           mine->value() == theirs->value();
         mine->Next(), theirs->Next()) {
    }
    RETURN_IF_ERROR(FromRocks(mine->status()));
    RETURN_IF_ERROR(FromRocks(theirs->status()));
    if (!mine->Valid() && !theirs->Valid()) {
      continue;
    }
    const bool same_key = mine->Valid() && theirs->Valid() && mine->key() == theirs->key();
    const bool mine_first =
        mine->Valid() && (!theirs->Valid() || mine->key().compare(theirs->key()) <= 0);
    return std::optional(fmt::format("{}: row {} {}", kFamilyNames[i],
                                     Shown(SliceView((mine_first ? mine : theirs)->key())),
                                     same_key     ? "differs"
                                     : mine_first ? "is only in the first"
                                                  : "is only in the second"));
  }
  return std::optional<std::string>();
}

Status RocksCheckpointStore::DropOverwritten() const {
  rocksdb::CompactRangeOptions options;
  options.exclusive_manual_compaction = false;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  RETURN_IF_ERROR(
      FromRocks(database_->CompactRange(options, HandleOf(RowFamily::kLive), nullptr, nullptr)));
  return WaitForFileRemovals(*database_);
}

std::uint64_t RocksCheckpointStore::SizeBytes() const {
  std::uint64_t size = 0;
  for (rocksdb::ColumnFamilyHandle* handle : handles_) {
    std::uint64_t of_family = 0;
    database_->GetIntProperty(handle, rocksdb::DB::Properties::kTotalSstFilesSize, &of_family);
    size += of_family;
  }
  return size;
}

Result<std::unique_ptr<CheckpointStore>> CheckpointStore::Open(
    const std::filesystem::path& directory, Mode mode) {
  return RocksCheckpointStore::Open(directory, mode);
}

}  // namespace sagalog
