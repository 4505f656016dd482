#include "reactor/clock.h"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "reactor/store_clock.h"

namespace sagalog {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

StoreTime Noon() { return *ParseTime("2026-11-21T12:00:00Z"); }

StoreClock Started(const Clock& clock, std::optional<StoreTime> last_event = {}) {
  return *StoreClock::Start(clock, last_event, false);
}

// A clock that a test moves, but which runs by itself as far as a store can tell.
class RunningClock final : public Clock {
 public:
  explicit RunningClock(StoreTime start) : manual(start) {}
  [[nodiscard]] ClockReading Read() const override { return manual.Read(); }
  void WaitUntil(Duration boot, Alarm& alarm) const override { manual.WaitUntil(boot, alarm); }
  [[nodiscard]] bool RunsByItself() const override { return true; }
  ManualClock manual;
};

TEST(SystemClock, TellsOneMomentInThreeWays) {
  const SystemClock clock;
  const ClockReading first = clock.Read();
  const ClockReading second = clock.Read();
  EXPECT_GE(second.boot, first.boot);
  EXPECT_GT(first.wall, *ParseTime("2020-01-01T00:00:00Z"));
  EXPECT_GE(first.suspended, -seconds(1));
  EXPECT_LE(first.suspended, first.boot);
  EXPECT_TRUE(clock.RunsByItself());
}

TEST(StoreClock, StartsAtNoTimeThatNoStoreCanLiveAt) {
  for (const char* wall : {"1969-12-31T23:59:59.999999Z", "9999-01-01T00:00:00Z"}) {
    const ManualClock clock(*ParseTime(wall));
    const auto started = StoreClock::Start(clock, std::nullopt, true);
    EXPECT_EQ(started.status().code(), Code::kInvalidArgument) << wall;
  }
  for (const char* wall : {"1970-01-01T00:00:00Z", "9998-12-31T23:59:59.999999Z"}) {
    const ManualClock clock(*ParseTime(wall));
    EXPECT_TRUE(StoreClock::Start(clock, std::nullopt, false).ok()) << wall;
  }
}

TEST(SystemClock, WaitsForTimeOrForTheAlarm) {
  const SystemClock clock;
  Alarm alarm;
  const Duration before = clock.Read().boot;
  clock.WaitUntil(before + Duration(1000), alarm);
  EXPECT_GE(clock.Read().boot, before + Duration(1000));
  alarm.Ring();
  clock.WaitUntil(before + hours(1), alarm);
  EXPECT_LT(clock.Read().boot, before + hours(1));
}

TEST(ManualClock, EndsAWaitWhenItsTimeHasComeAndNotBefore) {
  ManualClock clock(Noon());
  Alarm alarm;
  std::atomic<bool> over{false};
  std::thread waiting([&] {
    clock.WaitUntil(clock.Read().boot + seconds(2), alarm);
    over = true;
  });
  // The wait may begin only now, so time goes on until it has ended.
  for (int i = 0; !over; ++i) {
    clock.Advance(i % 2 == 0 ? seconds(1) : seconds(0));
    clock.StepWall(seconds(1));
  }
  waiting.join();
  EXPECT_GE(clock.Read().boot, seconds(2));
  clock.WaitUntil(clock.Read().boot, alarm);
}

TEST(ManualClock, MovesOnlyWhenTold) {
  ManualClock clock(Noon());
  const ClockReading before = clock.Read();
  EXPECT_EQ(clock.Read().wall, before.wall);
  clock.Advance(seconds(5));
  EXPECT_EQ(clock.Read().boot - before.boot, seconds(5));
  EXPECT_EQ(clock.Read().wall - before.wall, seconds(5));
  EXPECT_EQ(clock.Read().suspended, before.suspended);
  clock.StepWall(-seconds(3));
  EXPECT_EQ(clock.Read().wall - before.wall, seconds(2));
  EXPECT_EQ(clock.Read().boot - before.boot, seconds(5));
  clock.Suspend(seconds(10));
  EXPECT_EQ(clock.Read().suspended - before.suspended, seconds(10));
  EXPECT_EQ(clock.Read().boot - before.boot, seconds(15));
}

TEST(StoreClock, StartsAtTheLaterOfWallClockAndLastEvent) {
  ManualClock clock(Noon());
  EXPECT_EQ(Started(clock).Tick({}).now, Noon());
  EXPECT_EQ(Started(clock, Noon() - seconds(10)).Tick({}).now, Noon());
  EXPECT_EQ(Started(clock, Noon() + seconds(10)).Tick({}).now, Noon() + seconds(10));
}

TEST(StoreClock, FollowsTheBootClockThroughSteps) {
  ManualClock clock(Noon());
  StoreClock store = Started(clock);
  clock.StepWall(-hours(2));
  EXPECT_EQ(store.Tick({}).now, Noon());
  clock.Advance(seconds(1));
  EXPECT_EQ(store.Tick({}).now, Noon() + seconds(1));
  EXPECT_EQ(store.Tick({}).wall, Noon() + seconds(1) - hours(2));
}

TEST(StoreClock, TellsAStepOnce) {
  ManualClock clock(Noon());
  StoreClock store = Started(clock);
  EXPECT_FALSE(store.Tick({}).step);
  clock.StepWall(-seconds(30));
  clock.Advance(seconds(60));
  EXPECT_EQ(store.Tick({}).step, -seconds(30));
  EXPECT_FALSE(store.Tick({}).step);
  clock.StepWall(std::chrono::milliseconds(600));
  EXPECT_FALSE(store.Tick({}).step);
  clock.StepWall(std::chrono::milliseconds(600));
  EXPECT_EQ(store.Tick({}).step, std::chrono::milliseconds(1200));
}

TEST(StoreClock, PassingTimeOfAManualClockIsNoAbsence) {
  ManualClock clock(Noon());
  StoreClock store = Started(clock);
  clock.Advance(hours(10));
  EXPECT_FALSE(store.Tick({}).away);
}

TEST(StoreClock, ASleepIsAnAbsenceHoweverShort) {
  ManualClock clock(Noon());
  StoreClock store = Started(clock);
  clock.Suspend(std::chrono::milliseconds(99));
  EXPECT_FALSE(store.Tick({}).away) << "the two clocks are not read at one moment";
  clock.Suspend(seconds(5));
  const StoreClock::Moment back = store.Tick({});
  ASSERT_TRUE(back.away);
  EXPECT_EQ(back.away->length, seconds(5));
  EXPECT_EQ(back.away->since, back.now - seconds(5));
  EXPECT_FALSE(back.step);
  EXPECT_FALSE(store.Tick({}).away);
}

TEST(StoreClock, SilenceOfAClockThatRunsByItselfIsAnAbsence) {
  RunningClock clock(Noon());
  StoreClock store = Started(clock);
  clock.manual.Advance(seconds(5));
  EXPECT_FALSE(store.Tick({}).away);
  clock.manual.Advance(seconds(6));
  const StoreClock::Moment back = store.Tick({});
  ASSERT_TRUE(back.away);
  EXPECT_EQ(back.away->since, Noon() + seconds(5));
  EXPECT_EQ(back.away->length, seconds(6));
  EXPECT_FALSE(store.Tick({}).away);
}

TEST(StoreClock, TurnsDuringAStalledWriteAreNoSignOfLife) {
  RunningClock clock(Noon());
  StoreClock store = Started(clock);
  const Duration writing_since = store.Tick({}).boot;
  clock.manual.Advance(seconds(4));
  EXPECT_FALSE(store.Tick(writing_since).away);
  clock.manual.Advance(seconds(4));
  EXPECT_FALSE(store.Tick(writing_since).away) << "the write still hangs";
  clock.manual.Advance(seconds(1));
  const StoreClock::Moment back = store.Tick({});
  ASSERT_TRUE(back.away);
  EXPECT_EQ(back.away->since, Noon());
  EXPECT_EQ(back.away->length, seconds(9));
}

TEST(StoreClock, AWallClockFarAheadHasToBeAccepted) {
  ManualClock clock(Noon());
  const StoreTime last_event = Noon() - hours(7 * 24) - seconds(1);
  const auto refused = StoreClock::Start(clock, last_event, false);
  ASSERT_EQ(refused.status().code(), Code::kInvalidArgument);
  EXPECT_NE(refused.status().text().find("--accept-clock"), std::string::npos);
  EXPECT_TRUE(StoreClock::Start(clock, last_event, true).ok());
  EXPECT_TRUE(StoreClock::Start(clock, last_event + seconds(1), false).ok());
  EXPECT_TRUE(StoreClock::Start(clock, std::nullopt, false).ok());
}

}  // namespace
}  // namespace sagalog
