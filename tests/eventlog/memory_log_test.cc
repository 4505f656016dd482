// What MemoryLog makes of the faults of its disk; what it promises as a log: event_log_test.cc.
#include "eventlog/memory_log.h"

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/eventlog/sample_events.h"

namespace sagalog {
namespace {

using ::testing::HasSubstr;

class LogInMemory : public ::testing::Test {
 protected:
  void Fill(std::size_t count) {
    const auto log = MemoryLog::Open(disk_);
    ASSERT_TRUE(log.ok()) << log.status().text();
    ASSERT_TRUE(AppendAll(**log, samples_.Batch(count)).ok());
  }

  // What an append under `fault` answers, and where the log ends when it is opened again.
  std::pair<Code, std::uint64_t> AppendTwoUnder(MemoryDisk::Fault fault, bool power_lost) {
    MemoryDisk disk;
    SampleEvents samples;
    Code answer = Code::kOk;
    {
      const auto log = MemoryLog::Open(disk);
      disk.InjectAfter(1, fault);
      EXPECT_TRUE(AppendAll(**log, samples.Batch(2)).ok());
      EXPECT_FALSE(disk.fault_fired());
      answer = AppendAll(**log, samples.Batch(2)).code();
      EXPECT_TRUE(disk.fault_fired());
      EXPECT_EQ((*log)->Last(), Sequence(2));
      EXPECT_FALSE((*log)->Health().ok());
    }
    if (power_lost) {
      disk.LosePower();
    }
    const auto log = MemoryLog::Open(disk);
    EXPECT_TRUE(log.ok()) << log.status().text();
    return {answer, (*log)->Last().value()};
  }

  MemoryDisk disk_;
  SampleEvents samples_;
};

TEST_F(LogInMemory, FailedWriteLeavesNothing) {
  EXPECT_EQ(AppendTwoUnder(MemoryDisk::Fault::kWriteFails, false), std::pair(Code::kIoError, 2UL));
}

TEST_F(LogInMemory, TornWriteIsDropped) {
  EXPECT_EQ(AppendTwoUnder(MemoryDisk::Fault::kTornWrite, false),
            std::pair(Code::kIndeterminate, 2UL));
}

TEST_F(LogInMemory, FailedSyncIsDecidedByThePower) {
  EXPECT_EQ(AppendTwoUnder(MemoryDisk::Fault::kSyncFails, false),
            std::pair(Code::kIndeterminate, 4UL));
  EXPECT_EQ(AppendTwoUnder(MemoryDisk::Fault::kSyncFails, true),
            std::pair(Code::kIndeterminate, 2UL));
}

TEST_F(LogInMemory, LostAnswerIsDurable) {
  EXPECT_EQ(AppendTwoUnder(MemoryDisk::Fault::kAnswerLost, true),
            std::pair(Code::kIndeterminate, 4UL));
}

TEST_F(LogInMemory, DamagedEventIsNamedAndReadableBefore) {
  Fill(5);
  disk_.FlipByte(Sequence(3), 40);
  const Status refused = MemoryLog::Open(disk_).status();
  EXPECT_EQ(refused.code(), Code::kCorruption);
  EXPECT_THAT(refused.text(), HasSubstr("event 3 "));
  const auto log = MemoryLog::Open(disk_, LogMode::kReadOnly);
  ASSERT_TRUE(log.ok());
  ASSERT_TRUE((*log)->damage().has_value());
  EXPECT_EQ((*log)->damage()->first_damaged, Sequence(3));
  EXPECT_EQ((*log)->Last(), Sequence(2));
  EXPECT_EQ(ReadAll(**log)->size(), 2U);
  EXPECT_EQ((*log)->Read(Sequence(3)).status().code(), Code::kCorruption);
}

TEST_F(LogInMemory, DamageUnderAnOpenLogIsFoundWhenItIsRead) {
  Fill(5);
  const auto log = MemoryLog::Open(disk_);
  ASSERT_TRUE(log.ok());
  disk_.FlipByte(Sequence(3), 40);
  EXPECT_TRUE((*log)->Read(Sequence(2)).ok());
  EXPECT_THAT((*log)->Read(Sequence(3)).status().text(), HasSubstr("event 3 "));
  EXPECT_THAT(ReadAll(**log).status().text(), HasSubstr("event 3 "));
}

TEST_F(LogInMemory, LostEndIsNamed) {
  Fill(5);
  disk_.LoseBeyond(Sequence(3));
  const Status refused = MemoryLog::Open(disk_).status();
  EXPECT_EQ(refused.code(), Code::kCorruption);
  EXPECT_THAT(refused.text(), HasSubstr("events 4 to 5 are lost"));
}

}  // namespace
}  // namespace sagalog
