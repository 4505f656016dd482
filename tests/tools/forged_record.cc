#include "tests/tools/forged_record.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include "eventlog/data_directory.h"
#include "eventlog/head_file.h"
#include "eventlog/log_keys.h"
#include "eventlog/rocks_log.h"
#include "schema/event_encoder.h"
#include "tests/eventlog/sample_events.h"
#include "tests/eventlog/scratch_directory.h"

namespace sagalog {
namespace fs = std::filesystem;
namespace {

std::string KeyOf(std::uint64_t sequence) {
  return std::string(LogKey(Sequence(sequence)).bytes());
}

std::vector<events::EventT> Decode(const fs::path& data) {
  std::vector<events::EventT> all;
  const auto log = RocksLog::Open(data, {.mode = LogMode::kReadOnly});
  EXPECT_TRUE(log.ok()) << log.status().text();
  EXPECT_TRUE((*log)
                  ->Scan(Sequence(1), (*log)->Last(),
                         [&all](const events::Event& event, std::string_view) {
                           all.emplace_back();
                           event.UnPackTo(&all.back());
                           return Status();
                         })
                  .ok());
  return all;
}

// The events as they follow each other now.
std::vector<std::string> Chain(std::vector<events::EventT>& events) {
  struct Saga {
    std::uint64_t version = 0;
    std::uint64_t last = 0;
    std::uint64_t transition = 0;
  };
  std::map<std::string, Saga> sagas;
  std::vector<std::string> encoded;
  EventEncoder encoder;
  std::int64_t time = 0;
  for (events::EventT& event : events) {
    event.sequence = encoded.size() + 1;
    event.time = time = std::max(time, event.time);
    if (!event.saga_id.empty()) {
      Saga& saga = sagas[event.saga_id];
      event.version = ++saga.version;
      event.previous = std::exchange(saga.last, event.sequence);
      event.previous_transition = saga.transition;
      if (event.body.type != events::Body::Heartbeated) {
        saga.transition = event.sequence;
      }
    }
    encoded.emplace_back(encoder.Encode(event));
  }
  return encoded;
}

}  // namespace

void RewriteRaw(const fs::path& data, const std::function<void(RawEvents&)>& change) {
  rocksdb::Options options;
  options.compression = rocksdb::kNoCompression;
  rocksdb::DB* opened = nullptr;
  const auto status = rocksdb::DB::Open(options, (data / kLogDirectoryName).string(), &opened);
  ASSERT_TRUE(status.ok()) << status.ToString();
  const std::unique_ptr<rocksdb::DB> database(opened);
  RawEvents before;
  const std::unique_ptr<rocksdb::Iterator> at(database->NewIterator({}));
  for (at->Seek(KeyOf(1)); at->Valid(); at->Next()) {
    before[LogKey::Parse(at->key().ToStringView())->value()] = at->value().ToString();
  }
  RawEvents after = before;
  change(after);
  for (const auto& [sequence, bytes] : before) {
    if (!after.contains(sequence)) {
      ASSERT_TRUE(database->Delete({}, KeyOf(sequence)).ok());
    }
  }
  for (const auto& [sequence, bytes] : after) {
    if (!before.contains(sequence) || before[sequence] != bytes) {
      ASSERT_TRUE(database->Put({}, KeyOf(sequence), bytes).ok());
    }
  }
  ASSERT_TRUE(database->Flush({}).ok());
  // What was replaced or removed leaves the disk too: the log finds an event in any table.
  rocksdb::CompactRangeOptions everything;
  everything.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  ASSERT_TRUE(database->CompactRange(everything, nullptr, nullptr).ok());
  WriteFile(data / kHeadFileName, HeadFile::Encode(Sequence(after.rbegin()->first)));
}

void Forge(const fs::path& data, const std::function<void(std::vector<events::EventT>&)>& change) {
  std::vector<events::EventT> events = Decode(data);
  change(events);
  const std::vector<std::string> encoded = Chain(events);
  fs::remove_all(data / kLogDirectoryName);
  fs::remove_all(data / kProjectionsDirectoryName);
  fs::remove(data / kHeadFileName);
  const auto log = RocksLog::Open(data, {});
  ASSERT_TRUE(log.ok()) << log.status().text();
  ASSERT_TRUE(AppendAll(**log, encoded).ok());
  ASSERT_TRUE((*log)->Close().ok());
}

void CopyDirectory(const fs::path& from, const fs::path& to) {
  fs::copy(from, to, fs::copy_options::recursive);
}

}  // namespace sagalog
