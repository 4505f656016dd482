// How much of a thread's time goes to followers: a small part beside requests, more without, never
// nothing.
#include "reactor/turn_budget.h"

#include <gtest/gtest.h>

#include "reactor/connection_limits.h"

namespace sagalog {
namespace {

using namespace std::chrono_literals;
using Time = TurnBudget::Time;

// A thread that does nothing but give turns, as soon as it may, to followers that always want one.
struct Giver {
  TurnBudget budget;
  Time now = 1h;
  std::uint64_t requests = 0;

  // What turns that take `each` were given in `span`, their overhead included.
  Time GiveFor(Time span, Time each, bool beside_requests) {
    Time given{0};
    for (const Time end = now + span; now < end;) {
      requests += beside_requests ? 1 : 0;
      if (!budget.MayBegin(now)) {
        now = budget.next();
        continue;
      }
      const Time counted = budget.Begin(now, requests);
      budget.Took(each, counted);
      now += each + kTurnOverhead;
      given += each + kTurnOverhead;
    }
    return given;
  }
};

TEST(TurnBudget, BesideRequestsTurnsTakeASmallPartHoweverLongTheyAre) {
  for (const Time each : {Time(1us), Time(30us), Time(1ms), Time(20ms)}) {
    Giver giver;
    const Time given = giver.GiveFor(10s, each, true);
    EXPECT_LE(given, Time(10s) / 32 + each) << each.count();
    // And always that: who follows gets on.
    EXPECT_GE(given, Time(10s) / 40) << each.count();
  }
}

TEST(TurnBudget, WithoutRequestsTurnsTakeHalf) {
  Giver giver;
  const Time given = giver.GiveFor(1s, 30us, false);
  EXPECT_LE(given, 510ms);
  EXPECT_GE(given, 480ms);
}

TEST(TurnBudget, ARequestCountsForAShortWhile) {
  Giver giver;
  giver.GiveFor(1s, 30us, true);
  EXPECT_LE(giver.GiveFor(kBusyAfterRequest, 30us, false), Time(kBusyAfterRequest) / 16);
  EXPECT_GE(giver.GiveFor(1s, 30us, false), 450ms);
}

TEST(TurnBudget, AfterSilenceTheFirstTurnIsGivenAtOnceAndNotManyMore) {
  Giver giver;
  giver.GiveFor(100ms, 30us, true);
  giver.now += 1h;
  ASSERT_TRUE(giver.budget.MayBegin(giver.now));
  EXPECT_LE(giver.GiveFor(1ms, 30us, true), 200us);
}

TEST(TurnBudget, ATurnThatTookLongerThanThoseBeforeIsRestedFrom) {
  Giver giver;
  giver.GiveFor(100ms, 10us, true);
  giver.now += 1h;
  const Time counted = giver.budget.Begin(giver.now, ++giver.requests);
  giver.budget.Took(5ms, counted);
  EXPECT_GE(giver.budget.next(), giver.now + 5ms * 30);
}

}  // namespace
}  // namespace sagalog
