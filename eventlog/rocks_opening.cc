#include "eventlog/rocks_opening.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/file_checksum.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>

#include "eventlog/backup_manifest.h"
#include "eventlog/data_directory.h"
#include "eventlog/database_lock.h"
#include "eventlog/faulty_file_system.h"
#include "eventlog/head_file.h"
#include "eventlog/log_format_record.h"
#include "eventlog/log_keys.h"
#include "eventlog/regular_file.h"
#include "eventlog/table_lookup.h"
#include "eventlog/wal_inspection.h"

namespace sagalog {
namespace {

// What an opening replays from write-ahead files stays in them, so that one-shot openings leave no
// small table files behind; beyond this it becomes a table.
constexpr std::size_t kReplayedFilesMax = 32;
constexpr std::uintmax_t kReplayedBytesMax = 32U << 20;
// A point read fetches and checks one block; a larger one makes the index smaller.
constexpr std::size_t kBlockBytes = 16U << 10;
// Below the usual limit of 1,024 descriptors a process.
constexpr int kOpenFilesMax = 512;
// A writer beside us may delete a file between our listing and our reading it.
constexpr int kReadAttemptsMax = 8;

// Nobody reads RocksDB's own notes; its errors come back as values. Its writer of notes aborts the
// process when the disk is full.
class SilentLogger final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char* /*format*/, va_list /*arguments*/) override {}
};

// Keys come in order and, but for stubs, are written once: nothing is merged (tables move down the
// levels as they are) and insertions go to the end of the memtable. Stubs come without a
// write-ahead log, so what is lost of them at the end of the process was never promised.
rocksdb::Options DatabaseOptions(const RocksLogOptions& options) {
  rocksdb::Options database;
  database.write_buffer_size = options.write_buffer_bytes;
  database.max_write_buffer_number = 4;
  database.target_file_size_base = options.write_buffer_bytes;
  database.compression = rocksdb::kNoCompression;
  // A table leaves level 0 at once: there RocksDB may ask a table for keys outside its range.
  database.level0_file_num_compaction_trigger = 1;
  database.memtable_insert_with_hint_prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(1));
  database.allow_concurrent_memtable_write = false;
  database.avoid_flush_during_recovery = true;
  database.avoid_flush_during_shutdown = true;
  // So that a backup knows what it copies.
  database.file_checksum_gen_factory = rocksdb::GetFileChecksumGenCrc32cFactory();
  database.bytes_per_sync = 1U << 20;
  database.max_open_files = kOpenFilesMax;
  database.max_bgerror_resume_count = 0;
  database.skip_stats_update_on_db_open = true;
  database.stats_dump_period_sec = 0;
  database.stats_persist_period_sec = 0;
  database.info_log = std::make_shared<SilentLogger>();
  rocksdb::BlockBasedTableOptions table;
  table.block_size = kBlockBytes;
  table.block_cache = rocksdb::NewLRUCache(options.block_cache_bytes);
  database.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return database;
}

bool DatabaseExists(const std::filesystem::path& directory) {
  std::error_code error;
  return std::filesystem::exists(DatabasePath(directory) / "CURRENT", error);
}

Damage LostFrom(Sequence last, std::string_view why) {
  const Sequence first = last.Next();
  return {first, fmt::format("event {} is lost: {}", first.value(), why)};
}

Damage LostUpTo(Sequence last, Sequence head) {
  return {last.Next(), fmt::format("events {} to {} are lost: they were acknowledged, but the log "
                                   "ends at {}",
                                   last.value() + 1, head.value(), last.value())};
}

// Where the tables and the replayed writes do not meet.
std::optional<Damage> GapBeforeReplayed(const RocksHandle& handle) {
  const std::optional<Sequence> first = handle.replay->first();
  if (!first || first->value() <= 1) {
    return std::nullopt;
  }
  const Sequence before(first->value() - 1);
  const std::unique_ptr<rocksdb::Iterator> events(handle.db->NewIterator({}));
  events->SeekForPrev(LogKey(before).bytes());
  const auto found =
      events->Valid() ? LogKey::Parse(events->key().ToStringView()) : std::optional(Sequence());
  if (!events->status().ok() || !found || *found >= before) {
    return std::nullopt;
  }
  return LostFrom(*found, fmt::format("the next one in the log is {}", first->value()));
}

struct End {
  Sequence last;
  std::optional<Damage> damage;
};

// The newest event that can be reached. Where the last block is damaged, that is found by walking
// there from the start of the newest table.
End FindEnd(rocksdb::DB& db) {
  const std::unique_ptr<rocksdb::Iterator> events(db.NewIterator({}));
  events->SeekToLast();
  if (events->status().ok()) {
    const auto last = events->Valid() ? LogKey::Parse(events->key().ToStringView()) : std::nullopt;
    return {last.value_or(Sequence()), std::nullopt};
  }
  std::vector<rocksdb::LiveFileMetaData> files;
  db.GetLiveFilesMetaData(&files);
  Sequence next(1);
  for (const rocksdb::LiveFileMetaData& file : files) {
    next = std::max(next, LogKey::Parse(file.smallestkey).value_or(Sequence()));
  }
  for (events->Seek(LogKey(next).bytes()); events->Valid(); events->Next()) {
    next = LogKey::Parse(events->key().ToStringView()).value_or(next).Next();
  }
  const Sequence last(next.value() - 1);
  return {last, LostFrom(last, events->status().ToString())};
}

// Why the events of a table cannot be read, or nothing. Looking inside opens every table, so it is
// left out unless something was found wrong already.
std::optional<std::string> WhyBroken(const rocksdb::LiveFileMetaData& file, bool look_inside) {
  std::error_code error;
  const auto size = std::filesystem::file_size(file.db_path + file.name, error);
  if (error) {
    return "missing";
  }
  if (size != file.size) {
    return "not whole";
  }
  if (look_inside && !CheckTable(file).ok()) {
    return "damaged";
  }
  return std::nullopt;
}

// The oldest table that is not there, not all of it, or cannot be opened.
std::optional<Damage> FindBrokenTable(rocksdb::DB& db, bool look_inside) {
  std::vector<rocksdb::LiveFileMetaData> files;
  db.GetLiveFilesMetaData(&files);
  std::optional<Damage> oldest;
  for (const rocksdb::LiveFileMetaData& file : files) {
    const std::optional<std::string> broken = WhyBroken(file, look_inside);
    const Sequence first =
        std::max(Sequence(1), LogKey::Parse(file.smallestkey).value_or(Sequence()));
    if (broken && (!oldest || first < oldest->first_damaged)) {
      oldest = LostFrom(Sequence(first.value() - 1), fmt::format("the table {} that holds it is {}",
                                                                 file.name.substr(1), *broken));
    }
  }
  return oldest;
}

void KeepFirst(std::optional<Damage>& damage, std::optional<Damage> other) {
  if (other && (!damage || other->first_damaged < damage->first_damaged)) {
    damage = std::move(other);
  }
}

rocksdb::Status OpenReadOnly(const std::filesystem::path& directory, const RocksLogOptions& options,
                             bool paranoid, RocksHandle& handle) {
  handle.replay = std::make_unique<ReplayCheck>();
  rocksdb::Options database = DatabaseOptions(options);
  database.wal_filter = handle.replay.get();
  database.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  database.paranoid_checks = paranoid;
  database.skip_checking_sst_file_sizes_on_db_open = !paranoid;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status =
      rocksdb::DB::OpenForReadOnly(database, DatabasePath(directory).string(), &db);
  handle.db.reset(db);
  return status;
}

// The whole examination, once.
Result<OpenedForReading> Examine(const std::filesystem::path& directory,
                                 const RocksLogOptions& options) {
  const Result<Sequence> head = HeadFile::Read(HeadPath(directory));
  OpenedForReading opened;
  rocksdb::Status status = OpenReadOnly(directory, options, true, opened.handle);
  const bool opened_whole = status.ok();
  if (!opened_whole) {
    // A table that is missing or cut off; the others can still be read.
    const Status first = FromRocks(status, "event 1 cannot be reached");
    status = OpenReadOnly(directory, options, false, opened.handle);
    if (!status.ok()) {
      return first;
    }
  }
  rocksdb::DB& db = *opened.handle.db;
  const Status format = CheckFormatRecord(db);
  if (format.code() == Code::kUnsupportedVersion) {
    return format;
  }
  const End end = FindEnd(db);
  opened.last = end.last;
  KeepFirst(opened.damage, end.damage);
  KeepFirst(opened.damage, FindBrokenTable(db, !opened_whole || end.damage));
  KeepFirst(opened.damage, GapBeforeReplayed(opened.handle));
  if (!format.ok() && end.last > Sequence()) {
    KeepFirst(opened.damage, LostFrom(Sequence(), format.text()));
  }
  if (opened.handle.replay->broken()) {
    KeepFirst(opened.damage, LostFrom(end.last, "it is missing from the write-ahead log"));
  }
  ASSIGN_OR_RETURN(const WalInspection wal,
                   InspectWal(DatabasePath(directory), opened.handle.replay->oldest_log()));
  if (wal.state == WalState::kDamaged) {
    KeepFirst(opened.damage, LostFrom(end.last, "the write-ahead log is damaged, " + wal.place));
  }
  if (!head.ok()) {
    KeepFirst(opened.damage,
              LostFrom(end.last, "whether there was one cannot be told, " + head.status().text()));
  } else if (*head > end.last) {
    KeepFirst(opened.damage, LostUpTo(end.last, *head));
  }
  if (opened.damage) {
    opened.last = Sequence(opened.damage->first_damaged.value() - 1);
  }
  return opened;
}

Status SyncFile(const std::filesystem::path& path, DiskFaults* faults) {
  const auto failed = [&](int error) {
    return Status(Code::kIoError,
                  fmt::format("cannot sync {}: {}", path.string(), std::strerror(error)));
  };
  if (faults != nullptr && faults->Count()) {
    return failed(EIO);
  }
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return failed(errno);
  }
  const int synced = ::fdatasync(descriptor);
  const int error = errno;
  ::close(descriptor);
  if (synced != 0) {
    return failed(error);
  }
  if (faults != nullptr) {
    faults->Synced(path);
  }
  return {};
}

// What a process wrote before it died may still be in the machine's memory alone; HEAD will name
// it, so it must be durable first. True when there is so much of it that it should become a table.
Result<bool> SyncReplayedFiles(const std::filesystem::path& directory, DiskFaults* faults) {
  ASSIGN_OR_RETURN(const auto files, ListWalFiles(DatabasePath(directory), 0));
  std::uintmax_t size_bytes = 0;
  for (const std::filesystem::path& file : files) {
    RETURN_IF_ERROR(SyncFile(file, faults));
    std::error_code error;
    size_bytes += std::filesystem::file_size(file, error);
  }
  return files.size() > kReplayedFilesMax || size_bytes > kReplayedBytesMax;
}

// After an opening for writing failed: what the damage is, in our words where there are any.
Status Explain(const std::filesystem::path& directory, const RocksLogOptions& options,
               const Status& found) {
  const Result<OpenedForReading> examined = Examine(directory, options);
  if (examined.ok() && examined->damage) {
    return {Code::kCorruption, examined->damage->text};
  }
  return examined.status().code() == Code::kCorruption ? examined.status() : found;
}

// What RocksDB does not check of what it opened.
std::optional<Damage> CheckOpened(const std::filesystem::path& directory, const RocksHandle& handle,
                                  Sequence& last) {
  const End end = FindEnd(*handle.db);
  last = end.last;
  std::optional<Damage> damage = end.damage;
  KeepFirst(damage, GapBeforeReplayed(handle));
  const Result<Sequence> head = HeadFile::Read(HeadPath(directory));
  if (head.ok() && *head > end.last) {
    KeepFirst(damage, LostUpTo(end.last, *head));
  }
  return damage;
}

}  // namespace

std::filesystem::path DatabasePath(const std::filesystem::path& directory) {
  return directory / kLogDirectoryName;
}

std::filesystem::path HeadPath(const std::filesystem::path& directory) {
  return directory / kHeadFileName;
}

Status FromRocks(const rocksdb::Status& status, std::string_view what) {
  if (status.ok()) {
    return {};
  }
  const std::string text = fmt::format("{}: {}", what, status.ToString());
  if (status.IsIOError() && SaysTaken(text)) {
    return {Code::kLocked, text};
  }
  const bool lost = status.IsCorruption() || status.IsPathNotFound() || status.IsNotFound();
  return {lost ? Code::kCorruption : Code::kIoError, text};
}

Result<LogEnd> InspectBeforeWriting(const std::filesystem::path& directory,
                                    const RocksLogOptions& options) {
  const Result<Sequence> head = HeadFile::Read(HeadPath(directory));
  if (!head.ok() && head.status().code() == Code::kIoError) {
    return head.status();
  }
  if (!DatabaseExists(directory)) {
    if (head.ok() && head->IsNone()) {
      return LogEnd::kWhole;
    }
    if (head.ok()) {
      return Status(Code::kCorruption, LostUpTo(Sequence(), *head).text);
    }
    return head.status().code() == Code::kNotFound ? Result<LogEnd>(LogEnd::kWhole) : head.status();
  }
  ASSIGN_OR_RETURN(const WalInspection wal, InspectWal(DatabasePath(directory), 0));
  if (wal.state == WalState::kWhole && head.ok()) {
    return LogEnd::kWhole;
  }
  ASSIGN_OR_RETURN(const OpenedForReading examined, Examine(directory, options));
  if (examined.damage) {
    return Status(Code::kCorruption, examined.damage->text);
  }
  return LogEnd::kTorn;
}

Result<OpenedForWriting> OpenDatabaseForWriting(const std::filesystem::path& directory,
                                                const RocksLogOptions& options, LogEnd end,
                                                std::shared_ptr<rocksdb::EventListener> listener) {
  std::error_code error;
  std::filesystem::create_directory(DatabasePath(directory), error);
  if (error) {
    return Status(Code::kIoError, fmt::format("cannot create {}: {}",
                                              DatabasePath(directory).string(), error.message()));
  }
  ASSIGN_OR_RETURN(const bool much_replayed, SyncReplayedFiles(directory, options.faults));
  OpenedForWriting opened;
  RocksHandle& handle = opened.handle;
  handle.replay = std::make_unique<ReplayCheck>();
  rocksdb::Options database = DatabaseOptions(options);
  if (options.faults != nullptr) {
    handle.env = rocksdb::NewCompositeEnv(MakeFaultyFileSystem(*options.faults));
    database.env = handle.env.get();
  }
  database.create_if_missing = !DatabaseExists(directory);
  database.wal_filter = handle.replay.get();
  database.wal_recovery_mode = end == LogEnd::kTorn
                                   ? rocksdb::WALRecoveryMode::kPointInTimeRecovery
                                   : rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  database.listeners.push_back(std::move(listener));
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(database, DatabasePath(directory).string(), &db);
  handle.db.reset(db);
  if (!status.ok()) {
    const Status failed = FromRocks(status, "cannot open the log");
    return failed.code() == Code::kCorruption ? Explain(directory, options, failed) : failed;
  }
  const Status format = CheckFormatRecord(*handle.db);
  if (format.code() == Code::kUnsupportedVersion) {
    return format;
  }
  const std::optional<Damage> damage = CheckOpened(directory, handle, opened.last);
  if (damage) {
    handle.db.reset();
    return Explain(directory, options, Status(Code::kCorruption, damage->text));
  }
  RETURN_IF_ERROR(CheckOrWriteFormatRecord(*handle.db, opened.last));
  if (end == LogEnd::kTorn || much_replayed) {
    // The torn end goes with the files that held it.
    RETURN_IF_ERROR(FromRocks(handle.db->Flush({}), "cannot write what was replayed"));
  }
  return opened;
}

namespace {

// What is read may have come from elsewhere: the database would wait for a pipe among its files for
// ever. A backup is whole by itself, and no link leads out of it.
Status CheckNothingWaits(const std::filesystem::path& directory) {
  std::error_code error;
  const bool backup = std::filesystem::exists(
      std::filesystem::symlink_status(directory / kBackupManifestName, error));
  for (const std::string_view name : {kBackupManifestName, kHeadFileName}) {
    const auto file = RegularFile::Open(directory / name, Links::kRefused);
    if (backup && file.status().code() == Code::kCorruption) {
      return file.status();
    }
  }
  return CheckRegularFiles(DatabasePath(directory), backup ? Links::kRefused : Links::kFollowed);
}

}  // namespace

Result<OpenedForReading> OpenDatabaseForReading(const std::filesystem::path& directory,
                                                const RocksLogOptions& options) {
  if (!DatabaseExists(directory)) {
    const Result<Sequence> head = HeadFile::Read(HeadPath(directory));
    if (head.ok() && !head->IsNone()) {
      return Status(Code::kCorruption, LostUpTo(Sequence(), *head).text);
    }
    return Status(Code::kNotFound, fmt::format("there is no log in {}", directory.string()));
  }
  RETURN_IF_ERROR(CheckNothingWaits(directory));
  for (int attempt = 1;; ++attempt) {
    const bool writer = DataDirectory::HasWriter(directory);
    const Result<Sequence> head = HeadFile::Read(HeadPath(directory));
    Result<OpenedForReading> opened = Examine(directory, options);
    const bool suspicious = !opened.ok() || opened->damage.has_value();
    if (suspicious && writer && attempt < kReadAttemptsMax) {
      continue;
    }
    if (opened.ok() && writer && head.ok() && opened->last > *head) {
      // What the writer has not acknowledged may not be durable yet.
      opened->last = *head;
    }
    return opened;
  }
}

}  // namespace sagalog
