#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "projections/projections.h"
#include "tests/projections/history.h"

namespace sagalog {
namespace {

using schema::StaleReason;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class StaleSagas : public ::testing::Test {
 protected:
  std::vector<std::string> Stale(std::size_t limit = 100) {
    return Ids(history_.state().Stale(history_.time(), limit));
  }
  std::uint64_t Count(StaleReason reason) {
    return history_.state().CountStaleByReason(history_.time())[static_cast<std::size_t>(reason)];
  }
  void Run(std::string_view saga, double ttl) {
    history_.Plan(saga);
    history_.Acquire(saga, "w", ttl);
  }

  History history_;
};

TEST_F(StaleSagas, AreListedFromTheMomentTheirLeaseIsOver) {
  Run("a", 10);
  history_.SetTime(1009.999999);
  EXPECT_THAT(Stale(), IsEmpty());
  EXPECT_EQ(history_.state().NextStaleMoment(history_.time()), At(1010));
  history_.SetTime(1010);
  EXPECT_THAT(Stale(), ElementsAre("a"));
  EXPECT_EQ(Count(StaleReason::lease_expired), 1U);
  EXPECT_EQ(history_.state().NextStaleMoment(history_.time()), std::nullopt);
}

TEST_F(StaleSagas, RenewedLeaseIsNoLongerStale) {
  Run("a", 10);
  history_.SetTime(1020);
  EXPECT_THAT(Stale(), ElementsAre("a"));
  history_.Acquire("a", "w2", 10, schema::LeaseHow::taken_over);
  EXPECT_THAT(Stale(), IsEmpty());
  history_.Heartbeat("a", 50);
  EXPECT_EQ(history_.state().NextStaleMoment(history_.time()), At(1070));
  history_.End("a");
  EXPECT_EQ(history_.state().NextStaleMoment(history_.time()), std::nullopt);
}

TEST_F(StaleSagas, ComeInTheOrderOfTheirMomentsThenOfPlanning) {
  Run("third", 30);
  Run("first", 10);
  Run("tied", 20);
  Run("tied_later", 20);
  history_.SetTime(1040);
  EXPECT_THAT(Stale(), ElementsAre("first", "tied", "tied_later", "third"));
  EXPECT_THAT(Stale(2), ElementsAre("first", "tied"));
}

TEST_F(StaleSagas, ThoseThatNobodyCanActOnComeLast) {
  Run("cancelled", 1000);
  history_.Append("cancelled", events::CancelRequestedT());
  Run("expired", 10);
  history_.SetTime(1020);
  EXPECT_THAT(Stale(), ElementsAre("expired", "cancelled"));
  EXPECT_THAT(Stale(1), ElementsAre("expired"));
  EXPECT_EQ(Count(StaleReason::cancel_pending), 1U);
}

TEST_F(StaleSagas, AreInGraceAfterTheStoreWasAwayUntilItEnds) {
  Run("a", 10);
  history_.SetTime(1100);
  history_.ComeBack();
  EXPECT_EQ(Count(StaleReason::in_grace), 1U);
  EXPECT_EQ(history_.state().NextStaleMoment(history_.time()), At(1130));
  history_.SetTime(1130);
  EXPECT_EQ(Count(StaleReason::in_grace), 0U);
  EXPECT_EQ(Count(StaleReason::lease_expired), 1U);
}

TEST_F(StaleSagas, FollowAPolicyThatChanges) {
  Run("a", 1000);
  events::PolicyChangedT change;
  change.policy = std::make_unique<schema::PolicyT>();
  change.policy->max_running = Seconds(50);
  history_.Append("", std::move(change));
  EXPECT_EQ(history_.state().NextStaleMoment(history_.time()), At(1050));
  history_.SetTime(1050);
  EXPECT_THAT(Stale(), ElementsAre("a"));
  EXPECT_EQ(Count(StaleReason::max_running), 1U);
}

TEST_F(StaleSagas, FollowAQueueThatIsConfigured) {
  history_.Plan("a", {.queue = "q"});
  history_.Acquire("a", "w", 1000);
  events::QueueConfiguredT change;
  change.queue = "q";
  change.policy = std::make_unique<schema::PolicyT>();
  change.policy->progress_timeout = Seconds(2000);
  history_.Append("", std::move(change));
  history_.Heartbeat("a", 5000);
  EXPECT_EQ(history_.state().NextStaleMoment(history_.time()), At(3000));
}

TEST_F(StaleSagas, StayListedWhileTheyOweCompensations) {
  history_.Plan("a", {.targets = {"branch", "worktree"}});
  history_.Acquire("a");
  history_.SetTime(1001);
  history_.End("a", State::failed);
  EXPECT_THAT(Stale(), ElementsAre("a"));
  EXPECT_THAT(Ids(history_.state().CompensationBacklog(10)), ElementsAre("a"));
  history_.ClaimCompensation("a", "c1");
  history_.SettleCompensation("a", "c1");
  EXPECT_EQ(Count(StaleReason::compensation_owed), 1U);
  history_.ClaimCompensation("a", "c0");
  history_.SettleCompensation("a", "c0");
  EXPECT_THAT(Stale(), IsEmpty());
  EXPECT_THAT(history_.state().CompensationBacklog(10), IsEmpty());
}

TEST_F(StaleSagas, AreFoundAmongThousandsThatAreNot) {
  for (int i = 0; i < 600; ++i) {
    Run("live" + std::to_string(i), 100 + i);
    if (i % 30 == 0) {
      Run("late" + std::to_string(i), 10);
    }
  }
  history_.SetTime(1011);
  EXPECT_EQ(Stale().size(), 20U);
  EXPECT_EQ(history_.state().NextStaleMoment(history_.time()), At(1100));
  for (int i = 0; i < 600; ++i) {
    history_.Heartbeat("live" + std::to_string(i), 5000);
  }
  EXPECT_EQ(history_.state().NextStaleMoment(history_.time()), At(6011));
}

}  // namespace
}  // namespace sagalog
