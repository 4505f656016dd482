// What every EventLog promises, asked of both.
#include "eventlog/event_log.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eventlog/disk_faults.h"
#include "eventlog/memory_log.h"
#include "eventlog/rocks_log.h"
#include "schema/limits.h"
#include "tests/eventlog/sample_events.h"
#include "tests/eventlog/scratch_directory.h"

namespace sagalog {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A kind of log with a disk of its own that outlives it.
class Ground {
 public:
  virtual ~Ground() = default;
  virtual Result<std::unique_ptr<EventLog>> Open(LogMode mode) = 0;
  virtual void FailNextWrite() = 0;
  virtual void FailNextSync() = 0;
  virtual void LosePower() = 0;
};

class RocksGround final : public Ground {
 public:
  Result<std::unique_ptr<EventLog>> Open(LogMode mode) override {
    ASSIGN_OR_RETURN(std::unique_ptr<EventLog> log,
                     RocksLog::Open(directory_.path(), {.mode = mode, .faults = &faults_}));
    return log;
  }
  void FailNextWrite() override { faults_.FailAt(0); }
  void FailNextSync() override { faults_.FailAt(1); }
  void LosePower() override { EXPECT_TRUE(faults_.LoseUnsyncedBytes().ok()); }

 private:
  ScratchDirectory directory_;
  DiskFaults faults_;
};

class MemoryGround final : public Ground {
 public:
  Result<std::unique_ptr<EventLog>> Open(LogMode mode) override {
    ASSIGN_OR_RETURN(std::unique_ptr<EventLog> log, MemoryLog::Open(disk_, mode));
    return log;
  }
  void FailNextWrite() override { disk_.InjectAfter(0, MemoryDisk::Fault::kTornWrite); }
  void FailNextSync() override { disk_.InjectAfter(0, MemoryDisk::Fault::kSyncFails); }
  void LosePower() override { disk_.LosePower(); }

 private:
  MemoryDisk disk_;
};

struct Kind {
  std::string name;
  std::function<std::unique_ptr<Ground>()> make;
};

class EventLogContract : public ::testing::TestWithParam<Kind> {
 protected:
  EventLogContract() : ground_(GetParam().make()) { Open(); }

  void Open(LogMode mode = LogMode::kReadWrite) {
    log_.reset();
    Result<std::unique_ptr<EventLog>> opened = ground_->Open(mode);
    ASSERT_TRUE(opened.ok()) << opened.status().text();
    log_ = *std::move(opened);
  }

  void Append(const std::vector<std::string>& events) {
    const Status appended = AppendAll(*log_, events);
    ASSERT_TRUE(appended.ok()) << appended.text();
  }

  std::vector<std::uint64_t> Walk(Sequence newest, bool transitions_only) {
    std::vector<std::uint64_t> walked;
    const Status status =
        log_->WalkBack(newest, transitions_only, [&](const events::Event& event, std::string_view) {
          walked.push_back(event.sequence());
          return Status();
        });
    EXPECT_TRUE(status.ok()) << status.text();
    return walked;
  }

  std::unique_ptr<Ground> ground_;
  std::unique_ptr<EventLog> log_;
  SampleEvents samples_;
};

TEST_P(EventLogContract, NewLogIsEmpty) {
  EXPECT_EQ(log_->Last(), Sequence(0));
  EXPECT_TRUE(log_->Health().ok());
  EXPECT_EQ(log_->Read(Sequence(0)).status().code(), Code::kNotFound);
  EXPECT_EQ(log_->Read(Sequence(1)).status().code(), Code::kNotFound);
  EXPECT_THAT(*ReadAll(*log_), IsEmpty());
}

TEST_P(EventLogContract, AppendedEventsAreReadBackAsTheyWere) {
  const std::vector<std::string> first = samples_.Batch(3);
  const std::vector<std::string> second = samples_.Batch(1);
  Append(first);
  Append(second);
  EXPECT_EQ(log_->Last(), Sequence(4));
  EXPECT_THAT(*ReadAll(*log_), ElementsAre(first[0], first[1], first[2], second[0]));
  const Result<StoredEvent> third = log_->Read(Sequence(3));
  ASSERT_TRUE(third.ok());
  EXPECT_EQ(third->bytes(), first[2]);
  EXPECT_EQ((*third)->sequence(), 3U);
}

TEST_P(EventLogContract, AppendBehindTheWrongEndIsAConflictAndChangesNothing) {
  Append(samples_.Batch(2));
  const std::vector<std::string> late = samples_.Batch(1);
  const std::vector<std::string_view> views(late.begin(), late.end());
  const Status refused = log_->Append(Sequence(1), views);
  EXPECT_EQ(refused.code(), Code::kConflict);
  EXPECT_THAT(refused.text(), HasSubstr("ends at 2"));
  EXPECT_EQ(log_->Append(Sequence(3), views).code(), Code::kConflict);
  EXPECT_EQ(log_->Last(), Sequence(2));
  EXPECT_TRUE(log_->Append(Sequence(2), views).ok());
}

TEST_P(EventLogContract, EmptyAppendChangesNothing) {
  Append({});
  EXPECT_EQ(log_->Last(), Sequence(0));
}

TEST_P(EventLogContract, OverlongAppendIsRefusedAndPoisonsNothing) {
  EXPECT_EQ(AppendAll(*log_, samples_.Batch(kBatchEventsMax + 1)).code(), Code::kInvalidArgument);
  EXPECT_TRUE(log_->Health().ok());
  samples_.ForgetBeyond(Sequence(0));
  Append(samples_.Batch(kBatchEventsMax));
}

TEST_P(EventLogContract, ReopenedLogHoldsWhatWasAcknowledged) {
  const std::vector<std::string> events = samples_.Batch(5);
  Append(events);
  Open();
  EXPECT_EQ(*ReadAll(*log_), events);
  Append(samples_.Batch(1));
  Open();
  EXPECT_EQ(log_->Last(), Sequence(6));
}

TEST_P(EventLogContract, AcknowledgedEventsOutliveAPowerLoss) {
  const std::vector<std::string> events = samples_.Batch(5);
  Append(events);
  log_.reset();
  ground_->LosePower();
  Open();
  EXPECT_EQ(*ReadAll(*log_), events);
}

TEST_P(EventLogContract, ScanVisitsTheRangeAskedForInOrder) {
  Append(samples_.Batch(10));
  const auto scan = [&](std::uint64_t from, std::uint64_t through) {
    std::vector<std::uint64_t> seen;
    EXPECT_TRUE(log_->Scan(Sequence(from), Sequence(through),
                           [&](const events::Event& event, std::string_view) {
                             seen.push_back(event.sequence());
                             return Status();
                           })
                    .ok());
    return seen;
  };
  EXPECT_THAT(scan(4, 6), ElementsAre(4, 5, 6));
  EXPECT_THAT(scan(9, 99), ElementsAre(9, 10));
  EXPECT_THAT(scan(0, 1), ElementsAre(1));
  EXPECT_THAT(scan(7, 6), IsEmpty());
  EXPECT_THAT(scan(11, 99), IsEmpty());
}

TEST_P(EventLogContract, ScanEndsWithTheVisitorsError) {
  Append(samples_.Batch(10));
  int seen = 0;
  const Status ended =
      log_->Scan(Sequence(1), Sequence(10), [&](const events::Event&, std::string_view) {
        return ++seen == 3 ? Status(Code::kCancelled, "enough") : Status();
      });
  EXPECT_EQ(ended.code(), Code::kCancelled);
  EXPECT_EQ(seen, 3);
}

TEST_P(EventLogContract, WalkBackPassesOneSagasEventsFromTheNewest) {
  Append({samples_.Next("a"), samples_.Next("b"), samples_.Heartbeat("a"), samples_.Heartbeat("a"),
          samples_.Next("a"), samples_.Heartbeat("b"), samples_.Heartbeat("a")});
  EXPECT_THAT(Walk(Sequence(7), false), ElementsAre(7, 5, 4, 3, 1));
  EXPECT_THAT(Walk(Sequence(7), true), ElementsAre(5, 1));
  EXPECT_THAT(Walk(Sequence(4), false), ElementsAre(4, 3, 1));
  EXPECT_THAT(Walk(Sequence(6), true), ElementsAre(2));
  EXPECT_THAT(Walk(Sequence(5), true), ElementsAre(5, 1));
}

TEST_P(EventLogContract, WalkBackFromBeyondTheEndIsNotFound) {
  Append(samples_.Batch(1));
  const auto visitor = [](const events::Event&, std::string_view) { return Status(); };
  EXPECT_EQ(log_->WalkBack(Sequence(2), false, visitor).code(), Code::kNotFound);
}

TEST_P(EventLogContract, WalkBackEndsWithTheVisitorsError) {
  Append({samples_.Next("a"), samples_.Next("a"), samples_.Next("a")});
  int seen = 0;
  const auto visitor = [&](const events::Event&, std::string_view) {
    return ++seen == 2 ? Status(Code::kCancelled, "enough") : Status();
  };
  EXPECT_EQ(log_->WalkBack(Sequence(3), false, visitor).code(), Code::kCancelled);
  EXPECT_EQ(seen, 2);
}

TEST_P(EventLogContract, BrokenChainIsCorruptionThatNamesTheEvent) {
  SampleEvents other;
  const std::string ours = samples_.Next("a");
  other.Next("b");
  const std::string foreign = other.Next("b");  // names event 1, which is of saga a
  Append({ours, foreign});
  const Status scanned = ReadAll(*log_).status();
  EXPECT_EQ(scanned.code(), Code::kCorruption);
  EXPECT_THAT(scanned.text(), HasSubstr("event 2 "));
  const auto visitor = [](const events::Event&, std::string_view) { return Status(); };
  const Status walked = log_->WalkBack(Sequence(2), false, visitor);
  EXPECT_EQ(walked.code(), Code::kCorruption);
  EXPECT_THAT(walked.text(), HasSubstr("event 2 "));
}

TEST_P(EventLogContract, SkippedVersionIsCorruptionThatNamesTheEvent) {
  SampleEvents other;
  const std::string first = samples_.Next("a");
  const std::string second = samples_.Next("b");
  other.Next("a");
  other.Next("a");
  const std::string third =
      other.Next("a");  // version 3 behind 2, where there is no version 2 of a
  Append({first, second, third});
  EXPECT_THAT(ReadAll(*log_).status().text(), HasSubstr("event 3 "));
}

TEST_P(EventLogContract, WaiterIsWokenByAnAppend) {
  std::atomic<bool> woken{false};
  std::thread waiter([&] { woken = log_->WaitBeyond(Sequence(0), std::chrono::hours(1)); });
  Append(samples_.Batch(1));
  waiter.join();
  EXPECT_TRUE(woken);
  EXPECT_TRUE(log_->WaitBeyond(Sequence(0), std::chrono::hours(1)));
  EXPECT_FALSE(log_->WaitBeyond(Sequence(1), std::chrono::milliseconds(0)));
}

TEST_P(EventLogContract, WaiterIsWokenByClose) {
  std::atomic<bool> woken{true};
  std::thread waiter([&] { woken = log_->WaitBeyond(Sequence(0), std::chrono::hours(1)); });
  EXPECT_TRUE(log_->Close().ok());
  waiter.join();
  EXPECT_FALSE(woken);
}

TEST_P(EventLogContract, ClosedLogRefusesEverything) {
  Append(samples_.Batch(1));
  EXPECT_TRUE(log_->Close().ok());
  EXPECT_TRUE(log_->Close().ok());
  EXPECT_EQ(AppendAll(*log_, samples_.Batch(1)).code(), Code::kReadOnly);
  EXPECT_EQ(log_->Read(Sequence(1)).status().code(), Code::kCancelled);
  EXPECT_EQ(ReadAll(*log_).status().code(), Code::kCancelled);
  EXPECT_EQ(log_->Last(), Sequence(1));
}

TEST_P(EventLogContract, FailedWritePoisonsTheLogForGood) {
  const std::vector<std::string> kept = samples_.Batch(3);
  Append(kept);
  ground_->FailNextWrite();
  EXPECT_EQ(AppendAll(*log_, samples_.Batch(2)).code(), Code::kIndeterminate);
  EXPECT_EQ(log_->Health().code(), Code::kIoError);
  samples_.ForgetBeyond(Sequence(3));
  const Status refused = AppendAll(*log_, samples_.Batch(1));
  EXPECT_EQ(refused.code(), Code::kReadOnly);
  EXPECT_THAT(refused.text(), HasSubstr(log_->Health().text()));
  EXPECT_EQ(AppendAll(*log_, samples_.Batch(1)).code(), Code::kReadOnly);
  EXPECT_EQ(*ReadAll(*log_), kept) << "what was durable stays readable, and nothing else";
  Open();
  EXPECT_TRUE(log_->Health().ok());
  EXPECT_EQ(*ReadAll(*log_), kept) << "a torn write is dropped";
}

TEST_P(EventLogContract, FailedSyncLeavesAllOrNothingOfTheBatch) {
  for (const bool power_lost : {false, true}) {
    const std::uint64_t before = log_->Last().value();
    ground_->FailNextSync();
    EXPECT_EQ(AppendAll(*log_, samples_.Batch(2)).code(), Code::kIndeterminate);
    EXPECT_EQ(log_->Last(), Sequence(before)) << "not durable, not seen";
    EXPECT_FALSE(log_->Health().ok());
    log_.reset();
    if (power_lost) {
      ground_->LosePower();
    }
    Open();
    EXPECT_EQ(log_->Last(), Sequence(power_lost ? before : before + 2));
    samples_.ForgetBeyond(log_->Last());
    Append(samples_.Batch(1));
  }
}

TEST_P(EventLogContract, SecondWriterIsLockedOut) {
  EXPECT_EQ(ground_->Open(LogMode::kReadWrite).status().code(), Code::kLocked);
}

TEST_P(EventLogContract, ReadOnlyLogIsReadAndTakesNothing) {
  const std::vector<std::string> events = samples_.Batch(3);
  Append(events);
  Result<std::unique_ptr<EventLog>> beside = ground_->Open(LogMode::kReadOnly);
  ASSERT_TRUE(beside.ok()) << beside.status().text();
  EXPECT_EQ(*ReadAll(**beside), events);
  EXPECT_EQ(AppendAll(**beside, samples_.Batch(1)).code(), Code::kReadOnly);
  EXPECT_TRUE((*beside)->Health().ok());
}

TEST_P(EventLogContract, ReadersSeeWholePrefixesWhileEventsAreAppended) {
  constexpr int kBatches = 50;
  constexpr std::size_t kBatchSize = 7;
  std::atomic<bool> done{false};
  const auto read = [&] {
    while (!done) {
      const Sequence last = log_->Last();
      EXPECT_EQ(last.value() % kBatchSize, 0U);
      const Result<std::vector<std::string>> all = ReadAll(*log_);
      ASSERT_TRUE(all.ok()) << all.status().text();
      EXPECT_GE(all->size(), last.value());
      if (!last.IsNone()) {
        EXPECT_TRUE(log_->Read(last).ok());
      }
    }
  };
  std::thread first(read);
  std::thread second(read);
  for (int i = 0; i < kBatches; ++i) {
    Append(samples_.Batch(kBatchSize));
  }
  done = true;
  first.join();
  second.join();
}

TEST_P(EventLogContract, FollowerMissesNothing) {
  constexpr std::uint64_t kEvents = 100;
  std::uint64_t seen = 0;
  std::thread follower([&] {
    while (seen < kEvents && log_->WaitBeyond(Sequence(seen), std::chrono::hours(1))) {
      const Status scanned = log_->Scan(Sequence(seen + 1), log_->Last(),
                                        [&](const events::Event& event, std::string_view) {
                                          EXPECT_EQ(event.sequence(), ++seen);
                                          return Status();
                                        });
      ASSERT_TRUE(scanned.ok()) << scanned.text();
    }
  });
  for (std::uint64_t i = 0; i < kEvents; ++i) {
    Append(samples_.Batch(1));
  }
  follower.join();
  EXPECT_EQ(seen, kEvents);
}

TEST_P(EventLogContract, CloseEndsScansThatAreUnderWay) {
  Append(samples_.Batch(100));
  std::thread closer;
  const Status ended =
      log_->Scan(Sequence(1), Sequence(100), [&](const events::Event& event, std::string_view) {
        if (event.sequence() == 1) {
          closer = std::thread([&] { EXPECT_TRUE(log_->Close().ok()); });
          while (log_->WaitBeyond(Sequence(100), std::chrono::hours(1))) {
          }
        }
        return Status();
      });
  closer.join();
  EXPECT_EQ(ended.code(), Code::kCancelled);
}

INSTANTIATE_TEST_SUITE_P(Of, EventLogContract,
                         ::testing::Values(Kind{"RocksLog", std::make_unique<RocksGround>},
                                           Kind{"MemoryLog", std::make_unique<MemoryGround>}),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace sagalog
