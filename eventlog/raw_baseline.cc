#include "eventlog/raw_baseline.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include "eventlog/log_keys.h"
#include "schema/events_generated.h"

namespace sagalog {
namespace {

using Timer = std::chrono::steady_clock;

double SecondsSince(Timer::time_point start) {
  return std::chrono::duration<double>(Timer::now() - start).count();
}

Status RawStatus(const rocksdb::Status& status) {
  return status.ok() ? Status() : Status(Code::kIoError, status.ToString());
}

// Runs `measure` on a new database and removes it.
Status OnNewDatabase(const std::filesystem::path& directory,
                     const std::function<Status(rocksdb::DB&)>& measure) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.error_if_exists = true;
  options.compression = rocksdb::kNoCompression;
  rocksdb::DB* opened = nullptr;
  RETURN_IF_ERROR(RawStatus(rocksdb::DB::Open(options, directory.string(), &opened)));
  std::unique_ptr<rocksdb::DB> database(opened);
  const Status measured = measure(*database);
  RETURN_IF_ERROR(RawStatus(database->Close()));
  database.reset();
  std::error_code error;
  std::filesystem::remove_all(directory, error);
  return measured;
}

rocksdb::WriteOptions Synced() {
  rocksdb::WriteOptions options;
  options.sync = true;
  return options;
}

}  // namespace

Result<double> TimeRawWrites(const std::filesystem::path& directory, const RawWrites& writes) {
  double seconds = 0;
  const auto write_all = [&](rocksdb::DB& database) -> Status {
    const Timer::time_point start = Timer::now();
    rocksdb::WriteBatch batch;
    for (std::uint64_t i = 1; i <= writes.values; ++i) {
      const LogKey key(Sequence{i});
      RETURN_IF_ERROR(RawStatus(batch.Put(key.bytes(), writes.value)));
      if (i % writes.batch_values == 0 || i == writes.values) {
        RETURN_IF_ERROR(RawStatus(database.Write(Synced(), &batch)));
        batch.Clear();
      }
    }
    seconds = SecondsSince(start);
    return {};
  };
  RETURN_IF_ERROR(OnNewDatabase(directory, write_all));
  return seconds;
}

Result<double> MedianRawPut(const std::filesystem::path& directory, std::uint64_t puts,
                            std::string_view value) {
  std::vector<double> micros;
  const auto put_all = [&](rocksdb::DB& database) -> Status {
    for (std::uint64_t i = 1; i <= puts; ++i) {
      const LogKey key(Sequence{i});
      const Timer::time_point start = Timer::now();
      RETURN_IF_ERROR(RawStatus(database.Put(Synced(), key.bytes(), value)));
      micros.push_back(SecondsSince(start) * 1e6);
    }
    return {};
  };
  RETURN_IF_ERROR(OnNewDatabase(directory, put_all));
  std::nth_element(micros.begin(), micros.begin() + static_cast<std::ptrdiff_t>(puts / 2),
                   micros.end());
  return micros[puts / 2];
}

Result<RawScan> TimeRawVerifiedScan(const std::filesystem::path& log_database) {
  rocksdb::Options options;
  rocksdb::DB* opened = nullptr;
  RETURN_IF_ERROR(RawStatus(rocksdb::DB::OpenForReadOnly(options, log_database.string(), &opened)));
  const std::unique_ptr<rocksdb::DB> database(opened);
  rocksdb::ReadOptions read;
  read.verify_checksums = true;
  read.fill_cache = false;
  read.readahead_size = 2UL << 20;
  RawScan scan;
  const Timer::time_point start = Timer::now();
  const std::unique_ptr<rocksdb::Iterator> events(database->NewIterator(read));
  for (events->SeekToFirst(); events->Valid(); events->Next()) {
    if (LogKey::Parse(events->key().ToStringView()) == kFormatRecord) {
      continue;
    }
    flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(events->value().data()),
                                   events->value().size());
    if (!events::VerifyEventBuffer(verifier)) {
      return Status(Code::kCorruption, fmt::format("event {} is damaged", scan.values + 1));
    }
    ++scan.values;
    scan.bytes += events->value().size();
  }
  RETURN_IF_ERROR(RawStatus(events->status()));
  scan.seconds = SecondsSince(start);
  return scan;
}

}  // namespace sagalog
