#include "eventlog/rocks_replacing.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>

#include <fmt/format.h>
#include <rocksdb/write_batch.h>

#include "eventlog/file_removal.h"
#include "eventlog/log_keys.h"
#include "eventlog/read_back.h"
#include "eventlog/rocks_opening.h"

namespace sagalog {
namespace {

// What appends may need meanwhile: as much as is written anew, since both take the same disk's
// time; but a write buffer at least, and no more than all of them and as much again.
constexpr std::uint64_t kRoomForAppendsMin = 32ULL << 20;
constexpr std::uint64_t kRoomForAppendsMax = 512ULL << 20;

// A merge may write all tables anew before it lets go of the old ones.
Status CheckRoom(rocksdb::DB& db) {
  std::uint64_t tables = 0;
  db.GetIntProperty(rocksdb::DB::Properties::kTotalSstFilesSize, &tables);
  const std::uint64_t needed = tables + std::clamp(tables, kRoomForAppendsMin, kRoomForAppendsMax);
  std::error_code error;
  const std::filesystem::space_info space = std::filesystem::space(db.GetName(), error);
  if (error || space.available >= needed) {
    return {};
  }
  return {Code::kIoError,
          fmt::format("the disk of {} has {} MiB free, and writing the log's tables anew may take "
                      "{}: make room first",
                      db.GetName(), space.available >> 20, needed >> 20)};
}

}  // namespace

Status ReplaceEvents(rocksdb::DB& db, std::span<const std::string_view> events) {
  RETURN_IF_ERROR(CheckRoom(db));
  rocksdb::WriteBatch batch;
  for (const std::string_view event : events) {
    const LogKey key(PeekSequence(event).value_or(Sequence()));
    RETURN_IF_ERROR(FromRocks(batch.Put(key.bytes(), event), "cannot batch stubs"));
  }
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  options.low_pri = true;
  return FromRocks(db.Write(options, &batch), "cannot write stubs");
}

Status DropReplaced(rocksdb::DB& db, Sequence from, Sequence through,
                    std::atomic<bool>& cancelled) {
  rocksdb::CompactRangeOptions options;
  options.exclusive_manual_compaction = false;
  options.canceled = &cancelled;
  const std::string first(LogKey(from).bytes());
  const std::string last(LogKey(through).bytes());
  const rocksdb::Slice begin(first);
  const rocksdb::Slice end(last);
  const rocksdb::Status merged = db.CompactRange(options, &begin, &end);
  if (merged.IsIncomplete() || merged.IsShutdownInProgress()) {
    return {Code::kCancelled, "the log is closing"};
  }
  RETURN_IF_ERROR(FromRocks(merged, "cannot give back the space of stubs"));
  return WaitForFileRemovals(db);
}

}  // namespace sagalog
