// The room that is kept back for a full disk: it goes when nobody writes any more, and comes back.
#include "eventlog/disk_reserve.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "tests/eventlog/scratch_directory.h"

namespace sagalog {
namespace {

using Change = DiskReserve::Change;
constexpr std::uint64_t kMebibyte = 1ULL << 20;

class Reserving : public testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path file() const { return directory_.path() / "reserve"; }
  [[nodiscard]] std::uint64_t Free() const {
    return std::filesystem::space(directory_.path()).available;
  }
  Change Look(std::uint64_t size, bool writing) {
    const auto change = DiskReserve(file(), size).Look(writing);
    EXPECT_TRUE(change.ok()) << change.status().text();
    return change.ok() ? *change : Change::kNone;
  }

  ScratchDirectory directory_;
};

TEST_F(Reserving, TakesRoomOnceAndKeepsIt) {
  EXPECT_EQ(Look(kMebibyte, true), Change::kMade);
  EXPECT_GE(DiskReserve::SizeOf(file()), kMebibyte);
  EXPECT_EQ(Look(kMebibyte, true), Change::kNone);
  EXPECT_EQ(Look(2 * kMebibyte, true), Change::kMade) << "more is wanted now";
  EXPECT_GE(DiskReserve::SizeOf(file()), 2 * kMebibyte);
}

// A store that stopped writing for another reason than a full disk has no use for it.
TEST_F(Reserving, StaysWhileThereIsRoomElsewhere) {
  ASSERT_EQ(Look(kMebibyte, true), Change::kMade);
  ASSERT_GT(Free(), kMebibyte) << "the test needs a disk that is not full";
  EXPECT_EQ(Look(kMebibyte, false), Change::kNone);
  EXPECT_GE(DiskReserve::SizeOf(file()), kMebibyte);
}

// To a reserve that is larger than what is free, every disk is full.
TEST_F(Reserving, GoesWhenTheDiskIsFullAndNobodyWrites) {
  ASSERT_EQ(Look(kMebibyte, true), Change::kMade);
  const std::uint64_t more_than_there_is = 2 * Free();
  EXPECT_EQ(Look(more_than_there_is, true), Change::kTooFew);
  EXPECT_TRUE(std::filesystem::exists(file())) << "who writes would only fill what is set free";
  EXPECT_EQ(Look(more_than_there_is, false), Change::kFreed);
  EXPECT_FALSE(std::filesystem::exists(file()));
  EXPECT_EQ(Look(more_than_there_is, false), Change::kNone);
  EXPECT_EQ(Look(more_than_there_is, true), Change::kTooFew);
  EXPECT_EQ(Look(kMebibyte, true), Change::kMade) << "there is room again";
}

TEST_F(Reserving, SwitchedOffGivesBackWhatWasKept) {
  ASSERT_EQ(Look(kMebibyte, true), Change::kMade);
  EXPECT_EQ(Look(0, true), Change::kNone);
  EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(Reserving, WhereNothingCanBeWrittenSaysSo) {
  DiskReserve nowhere("/proc/sagalog/reserve", kMebibyte);
  EXPECT_FALSE(nowhere.Look(true).ok());
}

}  // namespace
}  // namespace sagalog
