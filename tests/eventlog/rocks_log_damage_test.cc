// What RocksLog makes of a directory whose bytes are not what it wrote.
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include "eventlog/log_keys.h"
#include "eventlog/rocks_log.h"
#include "tests/eventlog/sample_events.h"
#include "tests/eventlog/scratch_directory.h"

namespace sagalog {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

class DamagedLog : public ::testing::Test {
 protected:
  [[nodiscard]] Result<std::unique_ptr<RocksLog>> Open(LogMode mode = LogMode::kReadWrite) const {
    return RocksLog::Open(directory_.path(), {.mode = mode});
  }

  // Appends `batches` batches of `size` events each; returns all events.
  std::vector<std::string> Fill(std::size_t batches, std::size_t size,
                                const RocksLogOptions& options = {}) {
    std::vector<std::string> events;
    const auto log = RocksLog::Open(directory_.path(), options);
    EXPECT_TRUE(log.ok()) << log.status().text();
    for (std::size_t i = 0; i < batches; ++i) {
      const std::vector<std::string> batch = samples_.Batch(size);
      EXPECT_TRUE(AppendAll(**log, batch).ok());
      events.insert(events.end(), batch.begin(), batch.end());
    }
    return events;
  }

  // Appends one more batch, and takes back that it was acknowledged.
  std::vector<std::string> FillUnacknowledged(std::size_t size) {
    const std::string head_before = ReadFile(head());
    std::vector<std::string> events = Fill(1, size);
    WriteFile(head(), head_before);
    return events;
  }

  // A HEAD as a power loss may leave it: it knows of no event.
  void ForgetHead() {
    ScratchDirectory other;
    ASSERT_TRUE(RocksLog::Open(other.path(), {}).ok());
    WriteFile(head(), ReadFile(other.path() / "HEAD"));
  }

  void ExpectOpensWith(const std::vector<std::string>& events) const {
    const auto log = Open();
    ASSERT_TRUE(log.ok()) << log.status().text();
    EXPECT_EQ(*ReadAll(**log), events);
  }

  // Refused for writing with the first damaged event named, twice; readable before it.
  void ExpectDamagedFrom(std::uint64_t first_damaged, const std::vector<std::string>& events) {
    for (int attempt = 0; attempt < 2; ++attempt) {
      const Status refused = Open().status();
      EXPECT_EQ(refused.code(), Code::kCorruption) << refused.text();
      EXPECT_THAT(refused.text(),
                  AnyOf(HasSubstr("event " + std::to_string(first_damaged) + " "),
                        HasSubstr("events " + std::to_string(first_damaged) + " ")));
    }
    const auto log = Open(LogMode::kReadOnly);
    ASSERT_TRUE(log.ok()) << log.status().text();
    ASSERT_TRUE((*log)->damage().has_value());
    EXPECT_EQ((*log)->damage()->first_damaged, Sequence(first_damaged));
    EXPECT_EQ((*log)->Last(), Sequence(first_damaged - 1));
    EXPECT_EQ((*log)->Health().code(), Code::kCorruption);
    EXPECT_EQ((*log)->Read(Sequence(first_damaged)).status().code(), Code::kCorruption);
    const std::vector<std::string> readable(
        events.begin(), events.begin() + static_cast<std::ptrdiff_t>(first_damaged - 1));
    EXPECT_EQ(*ReadAll(**log), readable);
    const auto visitor = [](const events::Event&, std::string_view) { return Status(); };
    EXPECT_EQ((*log)->Scan(Sequence(1), Sequence(first_damaged), visitor).code(),
              Code::kCorruption);
  }

  [[nodiscard]] std::filesystem::path wal() const { return NewestFile(log_path(), ".log"); }
  [[nodiscard]] std::filesystem::path log_path() const { return directory_.path() / "log"; }
  [[nodiscard]] std::filesystem::path head() const { return directory_.path() / "HEAD"; }

  // Where in `file` the bytes of `event` are.
  static std::size_t Find(const std::filesystem::path& file, const std::string& event) {
    const std::size_t at = ReadFile(file).find(event);
    EXPECT_NE(at, std::string::npos);
    return at;
  }

  ScratchDirectory directory_;
  SampleEvents samples_;
};

TEST_F(DamagedLog, HalfOfTheLastUnacknowledgedWriteIsDropped) {
  const std::vector<std::string> kept = Fill(3, 4);
  const std::vector<std::string> torn = FillUnacknowledged(2);
  std::filesystem::resize_file(wal(), Find(wal(), torn[1]) + 20);
  ExpectOpensWith(kept);
  samples_.ForgetBeyond(Sequence(12));
  std::vector<std::string> all = kept;
  for (const std::string& event : Fill(1, 1)) {
    all.push_back(event);
  }
  ExpectOpensWith(all);
}

TEST_F(DamagedLog, FlippedByteInTheLastUnacknowledgedWriteIsDropped) {
  const std::vector<std::string> kept = Fill(3, 4);
  const std::vector<std::string> torn = FillUnacknowledged(2);
  FlipByte(wal(), Find(wal(), torn[0]) + 20);
  ExpectOpensWith(kept);
  samples_.ForgetBeyond(Sequence(12));
  Fill(2, 1);
  EXPECT_EQ((*Open())->Last(), Sequence(14));
}

TEST_F(DamagedLog, GarbageBehindTheLastWriteIsDropped) {
  std::vector<std::string> kept;
  for (const std::string& garbage : {std::string(100, '\0'), std::string(100, '\x7f'),
                                     std::string("\x01\x02\x03"), std::string(70'000, 'g')}) {
    for (const std::string& event : Fill(3, 4)) {
      kept.push_back(event);
    }
    WriteFile(wal(), ReadFile(wal()) + garbage);
    ExpectOpensWith(kept);
  }
}

TEST_F(DamagedLog, FlippedByteInTheLastAcknowledgedWriteIsNamed) {
  const std::vector<std::string> events = Fill(3, 4);
  FlipByte(wal(), Find(wal(), events[10]) + 20);
  ExpectDamagedFrom(9, events);
}

// HEAD is behind here, as after a power loss: what follows the damage proves it acknowledged.
TEST_F(DamagedLog, FlippedByteInTheMiddleIsNamedWithoutHead) {
  const std::vector<std::string> events = Fill(3, 4);
  FlipByte(wal(), Find(wal(), events[5]) + 20);
  ForgetHead();
  ExpectDamagedFrom(5, events);
}

TEST_F(DamagedLog, FlippedByteFarBeforeTheEndIsNamed) {
  const std::vector<std::string> events = Fill(30, 50);  // many blocks, some writes across them
  FlipByte(wal(), Find(wal(), events[620]) + 20);
  ForgetHead();
  ExpectDamagedFrom(601, events);
}

TEST_F(DamagedLog, DamagedLengthInTheMiddleIsNamed) {
  const std::vector<std::string> events = Fill(3, 4);
  // The header of the write before the event: checksum, length, type; then the batch's header.
  constexpr std::size_t kFromLengthToEvent = 2 + 1 + 12 + 1 + 1 + 8 + 2;
  const std::size_t high_byte = Find(wal(), events[4]) - kFromLengthToEvent + 1;
  FlipByte(wal(), high_byte);
  ForgetHead();
  ExpectDamagedFrom(5, events);
}

TEST_F(DamagedLog, ZeroedBlockInTheMiddleIsNamed) {
  constexpr std::size_t kBlock = 32768;
  const std::vector<std::string> events = Fill(60, 50);
  std::string bytes = ReadFile(wal());
  ASSERT_GT(bytes.size(), 8 * kBlock);
  bytes.replace(3 * kBlock, kBlock, std::string(kBlock, '\0'));
  WriteFile(wal(), bytes);
  ForgetHead();
  std::size_t last_before = 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    last_before = bytes.find(events[i]) < 3 * kBlock ? i : last_before;
  }
  ExpectDamagedFrom(last_before / 50 * 50 + 1, events);
}

TEST_F(DamagedLog, RemovedWriteAheadFileIsNamed) {
  const std::vector<std::string> events = Fill(3, 4);
  std::filesystem::remove(wal());
  ExpectDamagedFrom(1, events);
}

TEST_F(DamagedLog, RemovedWriteAheadFileBetweenOthersIsNamed) {
  std::vector<std::string> events = Fill(1, 4);
  const std::filesystem::path first = wal();
  for (const std::string& event : Fill(1, 4)) {
    events.push_back(event);
  }
  const std::filesystem::path second = wal();
  for (const std::string& event : Fill(1, 4)) {
    events.push_back(event);
  }
  ASSERT_NE(first, second);
  std::filesystem::remove(second);
  ForgetHead();
  ExpectDamagedFrom(5, events);
}

TEST_F(DamagedLog, CutOffWriteAheadFileIsNamedWhereverItIsCut) {
  constexpr std::size_t kStep = 61;
  const std::vector<std::string> events = Fill(4, 2);
  const std::string whole = ReadFile(wal());
  std::vector<std::size_t> ends;  // of the events
  for (const std::string& event : events) {
    ends.push_back(Find(wal(), event) + event.size());
  }
  for (std::size_t size = 0; size < whole.size(); size += kStep) {
    ScratchDirectory copy;
    std::filesystem::copy(directory_.path(), copy.path(), std::filesystem::copy_options::recursive);
    std::filesystem::resize_file(copy.path() / "log" / wal().filename(), size);
    std::uint64_t whole_events = 0;
    while (whole_events < ends.size() && ends[whole_events + 1] <= size) {
      whole_events += 2;
    }
    const Status refused = RocksLog::Open(copy.path(), {}).status();
    EXPECT_EQ(refused.code(), Code::kCorruption) << size;
    EXPECT_THAT(refused.text(), HasSubstr("events " + std::to_string(whole_events + 1) + " to 8 "))
        << size;
  }
}

TEST_F(DamagedLog, NoFlippedByteIsEverSkipped) {
  constexpr std::size_t kStep = 17;
  const std::vector<std::string> events = Fill(4, 2);
  ForgetHead();
  const std::string whole = ReadFile(wal());
  const std::size_t last_write = Find(wal(), events[6]) - 40;
  for (std::size_t at = 0; at < whole.size(); at += kStep) {
    ScratchDirectory copy;
    std::filesystem::copy(directory_.path(), copy.path(), std::filesystem::copy_options::recursive);
    FlipByte(copy.path() / "log" / wal().filename(), at);
    const auto log = RocksLog::Open(copy.path(), {});
    if (log.ok()) {
      EXPECT_GE(at, last_write) << "only the last write may be taken for an unfinished one";
      EXPECT_GE((*log)->Last(), Sequence(6));
      EXPECT_TRUE(ReadAll(**log).ok());
    } else {
      EXPECT_EQ(log.status().code(), Code::kCorruption) << log.status().text();
    }
  }
}

TEST_F(DamagedLog, RefusalOfADamagedLogWritesNothing) {
  const std::vector<std::string> events = Fill(3, 4);
  FlipByte(wal(), Find(wal(), events[5]) + 20);
  const auto before = Snapshot(directory_.path());
  EXPECT_EQ(Open().status().code(), Code::kCorruption);
  EXPECT_TRUE(Open(LogMode::kReadOnly).ok());
  EXPECT_EQ(Snapshot(directory_.path()), before);
}

TEST_F(DamagedLog, ReadOnlyOpeningWritesNothing) {
  Fill(3, 4);
  const auto before = Snapshot(directory_.path());
  const auto log = Open(LogMode::kReadOnly);
  ASSERT_TRUE(log.ok());
  EXPECT_EQ((*log)->Last(), Sequence(12));
  EXPECT_TRUE((*log)->Close().ok());
  EXPECT_EQ(Snapshot(directory_.path()), before);
}

// Small buffers, so that tables are written.
constexpr RocksLogOptions kManyTables{.write_buffer_bytes = 1U << 16};

TEST_F(DamagedLog, FlippedByteInATableIsNamedWhenItIsRead) {
  const std::vector<std::string> events = Fill(20, 100, kManyTables);
  std::filesystem::path table;
  for (const auto& entry : std::filesystem::directory_iterator(log_path())) {
    if (entry.path().extension() == ".sst" &&
        ReadFile(entry.path()).find(events[150]) != std::string::npos) {
      table = entry.path();
    }
  }
  ASSERT_FALSE(table.empty());
  FlipByte(table, Find(table, events[150]) + 20);
  const auto log = Open();
  ASSERT_TRUE(log.ok()) << log.status().text();
  const Status read = (*log)->Read(Sequence(151)).status();
  EXPECT_EQ(read.code(), Code::kCorruption);
  EXPECT_THAT(read.text(), HasSubstr("event 151 "));
  std::uint64_t seen = 0;
  const Status scanned =
      (*log)->Scan(Sequence(1), (*log)->Last(), [&](const events::Event& event, std::string_view) {
        seen = event.sequence();
        return Status();
      });
  EXPECT_EQ(scanned.code(), Code::kCorruption);
  EXPECT_THAT(scanned.text(), HasSubstr("event " + std::to_string(seen + 1) + " "));
  EXPECT_LE(seen, 150U) << "never past the damage";
  EXPECT_TRUE((*log)->Read(Sequence(1)).ok());
  EXPECT_TRUE((*log)->Read(Sequence(2000)).ok());
}

TEST_F(DamagedLog, DamagedTableTakesNoOtherWithIt) {
  const std::vector<std::string> events = Fill(20, 100, kManyTables);
  const std::filesystem::path table = NewestFile(log_path(), ".sst");
  const std::string bytes = ReadFile(table);
  std::uint64_t first = 1;
  while (bytes.find(events[first - 1]) == std::string::npos) {
    ++first;
  }
  FlipByte(table, Find(table, events[first - 1]) + 20);
  const auto log = Open();
  ASSERT_TRUE(log.ok()) << log.status().text();
  std::uint64_t seen = 0;
  const Status scanned =
      (*log)->Scan(Sequence(1), (*log)->Last(), [&](const events::Event& event, std::string_view) {
        seen = event.sequence();
        return Status();
      });
  EXPECT_EQ(seen, first - 1);
  EXPECT_THAT(scanned.text(), HasSubstr("event " + std::to_string(first) + " "));
  for (std::uint64_t sequence = 1; sequence < first; sequence += 50) {
    const Status read = (*log)->Read(Sequence(sequence)).status();
    EXPECT_TRUE(read.ok()) << sequence << ": " << read.text();
  }
}

TEST_F(DamagedLog, FlippedByteInTheTablesLastBlockIsNamed) {
  const std::vector<std::string> events = Fill(20, 100, kManyTables);
  const std::filesystem::path table = NewestFile(log_path(), ".sst");
  const std::string bytes = ReadFile(table);
  std::size_t last = events.size();
  while (bytes.find(events[last - 1]) == std::string::npos) {
    --last;
  }
  // What was not in a table yet is gone too, so that the table's end is the log's.
  for (const auto& entry : std::filesystem::directory_iterator(log_path())) {
    if (entry.path().extension() == ".log") {
      std::filesystem::resize_file(entry.path(), 0);
    }
  }
  ForgetHead();
  FlipByte(table, Find(table, events[last - 1]) + 20);
  const Status refused = Open().status();
  EXPECT_EQ(refused.code(), Code::kCorruption) << refused.text();
  const auto log = Open(LogMode::kReadOnly);
  ASSERT_TRUE(log.ok()) << log.status().text();
  ASSERT_TRUE((*log)->damage().has_value());
  EXPECT_THAT(refused.text(),
              HasSubstr("event " + std::to_string((*log)->damage()->first_damaged.value())));
  EXPECT_LE((*log)->damage()->first_damaged, Sequence(last));
  EXPECT_TRUE(ReadAll(**log).ok());
}

TEST_F(DamagedLog, MissingTableIsNamedByItsFirstEvent) {
  const std::vector<std::string> events = Fill(20, 100, kManyTables);
  const std::filesystem::path table = NewestFile(log_path(), ".sst");
  const std::string bytes = ReadFile(table);
  std::uint64_t first = 1;
  while (bytes.find(events[first - 1]) == std::string::npos) {
    ++first;
  }
  ASSERT_GT(first, 1U);
  std::filesystem::remove(table);
  ExpectDamagedFrom(first, events);
}

TEST_F(DamagedLog, CutOffTableIsNamedByItsFirstEvent) {
  const std::vector<std::string> events = Fill(20, 100, kManyTables);
  const std::filesystem::path table = NewestFile(log_path(), ".sst");
  const std::string bytes = ReadFile(table);
  std::uint64_t first = 1;
  while (bytes.find(events[first - 1]) == std::string::npos) {
    ++first;
  }
  std::filesystem::resize_file(table, bytes.size() / 2);
  ExpectDamagedFrom(first, events);
}

TEST_F(DamagedLog, EmptiedDatabaseIsNoNewOne) {
  Fill(3, 4);
  std::filesystem::remove(log_path() / "CURRENT");
  const auto before = Snapshot(directory_.path());
  for (const LogMode mode : {LogMode::kReadWrite, LogMode::kReadOnly}) {
    const Status refused = Open(mode).status();
    EXPECT_EQ(refused.code(), Code::kCorruption);
    EXPECT_THAT(refused.text(), HasSubstr("events 1 to 12 are lost"));
  }
  EXPECT_EQ(Snapshot(directory_.path()), before);
}

TEST_F(DamagedLog, MissingListOfFilesIsCorruption) {
  Fill(3, 4);
  for (const auto& entry : std::filesystem::directory_iterator(log_path())) {
    if (entry.path().filename().string().starts_with("MANIFEST")) {
      std::filesystem::remove(entry.path());
    }
  }
  for (const LogMode mode : {LogMode::kReadWrite, LogMode::kReadOnly}) {
    const Status refused = Open(mode).status();
    EXPECT_EQ(refused.code(), Code::kCorruption) << refused.text();
    EXPECT_THAT(refused.text(), HasSubstr("event 1 "));
  }
}

TEST_F(DamagedLog, MissingHeadIsDamageBehindTheLastEvent) {
  const std::vector<std::string> events = Fill(3, 4);
  std::filesystem::remove(head());
  ExpectDamagedFrom(13, events);
}

TEST_F(DamagedLog, TornHeadRecordIsReplacedByTheOneBefore) {
  const std::vector<std::string> events = Fill(3, 4);
  const std::string whole = ReadFile(head());
  ASSERT_EQ(whole.size(), 8192U);
  for (const std::size_t slot : {std::size_t{0}, std::size_t{4096}}) {
    WriteFile(head(), whole);
    FlipByte(head(), slot + 9);
    ExpectOpensWith(events);
  }
}

TEST_F(DamagedLog, HeadWithoutAWholeRecordIsDamage) {
  const std::vector<std::string> events = Fill(3, 4);
  FlipByte(head(), 9);
  FlipByte(head(), 4096 + 9);
  ExpectDamagedFrom(13, events);
}

TEST_F(DamagedLog, HeadBehindTheLogIsBroughtUpToIt) {
  const std::vector<std::string> events = Fill(3, 4);
  ForgetHead();
  ExpectOpensWith(events);
  std::filesystem::remove(wal());
  ExpectDamagedFrom(1, events);
}

TEST_F(DamagedLog, NewerFormatIsRefusedAndLeftAlone) {
  Fill(1, 3);
  rocksdb::DB* raw = nullptr;
  ASSERT_TRUE(rocksdb::DB::Open({}, log_path().string(), &raw).ok());
  const std::unique_ptr<rocksdb::DB> database(raw);
  ASSERT_TRUE(database->Put({}, LogKey(kFormatRecord).bytes(), "sagalog log, format 7").ok());
  ASSERT_TRUE(database->Close().ok());
  for (const LogMode mode : {LogMode::kReadWrite, LogMode::kReadOnly}) {
    const Status refused = Open(mode).status();
    EXPECT_EQ(refused.code(), Code::kUnsupportedVersion) << refused.text();
    EXPECT_EQ(refused.text(), "written by a newer sagalog (format 7, this one reads 1): update");
  }
}

TEST_F(DamagedLog, NothingToReadIsNotFound) {
  EXPECT_EQ(Open(LogMode::kReadOnly).status().code(), Code::kNotFound);
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
}

// One-shot openings leave neither many small tables nor ever more files to replay.
TEST_F(DamagedLog, ManyOpeningsKeepFewFiles) {
  constexpr int kOpenings = 36;
  for (int i = 0; i < kOpenings; ++i) {
    Fill(1, 1);
  }
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(log_path())) {
    const std::string extension = entry.path().extension().string();
    files += extension == ".log" || extension == ".sst" ? 1 : 0;
  }
  EXPECT_LE(files, 35);
  EXPECT_EQ((*Open())->Last(), Sequence(kOpenings));
}

}  // namespace
}  // namespace sagalog
