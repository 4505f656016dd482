// RocksLog on a disk that fails.
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eventlog/disk_faults.h"
#include "eventlog/rocks_log.h"
#include "tests/eventlog/sample_events.h"
#include "tests/eventlog/scratch_directory.h"

namespace sagalog {
namespace {

using ::testing::HasSubstr;

class LogOnFaultyDisk : public ::testing::Test {
 protected:
  [[nodiscard]] Result<std::unique_ptr<RocksLog>> Open(std::size_t write_buffer_bytes = 1U << 20) {
    return RocksLog::Open(directory_.path(),
                          {.write_buffer_bytes = write_buffer_bytes, .faults = &faults_});
  }

  // Opens the log twice and appends in between, until something fails. The last acknowledged
  // sequence.
  Sequence RunUntilFirstError(SampleEvents& samples) {
    constexpr int kOpenings = 2;
    constexpr int kAppends = 4;
    Sequence acknowledged;
    for (int opening = 0; opening < kOpenings; ++opening) {
      const auto log = Open();
      if (!log.ok()) {
        return acknowledged;
      }
      EXPECT_EQ((*log)->Last(), acknowledged);
      for (int i = 0; i < kAppends; ++i) {
        if (!AppendAll(**log, samples.Batch(3)).ok()) {
          return acknowledged;
        }
        acknowledged = (*log)->Last();
      }
      if (!(*log)->Close().ok()) {
        return acknowledged;
      }
    }
    return acknowledged;
  }

  void FailAtEveryStep(bool power_lost) {
    for (std::uint64_t step = 0;; ++step) {
      ScratchDirectory fresh;
      std::swap(fresh, directory_);
      faults_.FailAt(step);
      SampleEvents samples;
      const Sequence acknowledged = RunUntilFirstError(samples);
      const bool reached_the_end = !faults_.fired();
      faults_.Heal();
      if (power_lost) {
        ASSERT_TRUE(faults_.LoseUnsyncedBytes().ok());
      }
      const auto log = Open();
      ASSERT_TRUE(log.ok()) << "step " << step << ": " << log.status().text();
      EXPECT_GE((*log)->Last(), acknowledged) << "step " << step;
      EXPECT_EQ((*log)->Last().value() % 3, 0U) << "all of a batch or none, step " << step;
      EXPECT_TRUE(ReadAll(**log).ok()) << "step " << step;
      samples.ForgetBeyond((*log)->Last());
      EXPECT_TRUE(AppendAll(**log, samples.Batch(3)).ok()) << "step " << step;
      if (reached_the_end) {
        EXPECT_GT(step, 20U) << "the faults must have reached the log";
        break;
      }
    }
  }

  ScratchDirectory directory_;
  DiskFaults faults_;
};

TEST_F(LogOnFaultyDisk, KeepsWhatItAcknowledgedWhereverTheDiskFails) { FailAtEveryStep(false); }

TEST_F(LogOnFaultyDisk, KeepsWhatItAcknowledgedWhenThePowerGoesToo) { FailAtEveryStep(true); }

TEST_F(LogOnFaultyDisk, TakesNothingAfterAFullDiskHasRoomAgain) {
  const auto log = Open();
  ASSERT_TRUE(log.ok()) << log.status().text();
  SampleEvents samples;
  ASSERT_TRUE(AppendAll(**log, samples.Batch(3)).ok());
  faults_.FailFrom(0, DiskFaults::Kind::kNoSpace);
  EXPECT_EQ(AppendAll(**log, samples.Batch(1)).code(), Code::kIndeterminate);
  faults_.Heal();
  samples.ForgetBeyond(Sequence(3));
  const std::uint64_t operations = faults_.operations();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(AppendAll(**log, samples.Batch(1)).code(), Code::kReadOnly);
    samples.ForgetBeyond(Sequence(3));
  }
  EXPECT_EQ(faults_.operations(), operations) << "nothing is tried again";
  EXPECT_THAT((*log)->Health().text(), HasSubstr("no space"));
  EXPECT_EQ((*log)->Last(), Sequence(3));
  EXPECT_TRUE((*log)->Read(Sequence(3)).ok());
}

TEST_F(LogOnFaultyDisk, FailedWriteOfHeadIsIndeterminateThoughTheEventsAreDurable) {
  SampleEvents samples;
  {
    const auto log = Open();
    ASSERT_TRUE(log.ok());
    faults_.FailAt(2);  // behind the write and the sync of the write-ahead log
    const Status appended = AppendAll(**log, samples.Batch(2));
    EXPECT_EQ(appended.code(), Code::kIndeterminate);
    EXPECT_THAT(appended.text(), HasSubstr("HEAD"));
    EXPECT_EQ((*log)->Last(), Sequence(0));
  }
  const auto log = Open();
  ASSERT_TRUE(log.ok()) << log.status().text();
  EXPECT_EQ((*log)->Last(), Sequence(2));
}

TEST_F(LogOnFaultyDisk, FailureInTheBackgroundPoisonsToo) {
  constexpr std::size_t kSmallBuffer = 1U << 16;
  SampleEvents samples;
  bool poisoned = false;
  // Which operation of a flush comes when is the background's matter: fail each in turn.
  for (std::uint64_t step = 3; step < 30 && !poisoned; ++step) {
    ScratchDirectory fresh;
    std::swap(fresh, directory_);
    samples = SampleEvents();
    const auto log = Open(kSmallBuffer);
    ASSERT_TRUE(log.ok());
    for (int i = 0; i < 40 && AppendAll(**log, samples.Batch(20)).ok(); ++i) {
      if (i == 10) {
        faults_.FailFrom(step, DiskFaults::Kind::kNoSpace);
      }
    }
    const Status health = (*log)->Health();
    faults_.Heal();
    if (!health.ok()) {
      poisoned = true;
      samples.ForgetBeyond((*log)->Last());
      EXPECT_EQ(AppendAll(**log, samples.Batch(1)).code(), Code::kReadOnly);
    }
  }
  EXPECT_TRUE(poisoned);
}

TEST_F(LogOnFaultyDisk, HeadIsBehindAfterAPowerLossAndNeverAhead) {
  SampleEvents samples;
  {
    const auto log = Open();
    ASSERT_TRUE(log.ok());
    for (int i = 0; i < 5; ++i) {
      ASSERT_TRUE(AppendAll(**log, samples.Batch(2)).ok());
    }
    faults_.FailFrom(0);  // even the sync of HEAD at closing
  }
  faults_.Heal();
  ASSERT_TRUE(faults_.LoseUnsyncedBytes().ok());
  EXPECT_EQ(*HeadFile::Read(directory_.path() / "HEAD"), Sequence(0));
  const auto log = Open();
  ASSERT_TRUE(log.ok()) << log.status().text();
  EXPECT_EQ((*log)->Last(), Sequence(10));
  EXPECT_EQ(*HeadFile::Read(directory_.path() / "HEAD"), Sequence(10));
}

// What a dead process wrote without a sync is taken over; from then on it must be as durable as
// what was acknowledged.
TEST_F(LogOnFaultyDisk, WhatAnOpeningFindsOutlivesAPowerLoss) {
  SampleEvents samples;
  {
    const auto log = Open();
    ASSERT_TRUE(log.ok());
    ASSERT_TRUE(AppendAll(**log, samples.Batch(2)).ok());
    faults_.FailAt(1);  // the sync
    EXPECT_EQ(AppendAll(**log, samples.Batch(2)).code(), Code::kIndeterminate);
  }
  {
    const auto log = Open();
    ASSERT_TRUE(log.ok()) << log.status().text();
    EXPECT_EQ((*log)->Last(), Sequence(4));
  }
  ASSERT_TRUE(faults_.LoseUnsyncedBytes().ok());
  const auto log = Open();
  ASSERT_TRUE(log.ok()) << log.status().text();
  EXPECT_EQ((*log)->Last(), Sequence(4));
}

}  // namespace
}  // namespace sagalog
