#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "projections/projections.h"
#include "tests/projections/history.h"

namespace sagalog {
namespace {

using ::testing::ElementsAre;

class Queues : public ::testing::Test {
 protected:
  std::string First(bool for_dispatch = false, std::string_view queue = "default") {
    const Saga* saga =
        history_.state().FirstClaimable(queue, for_dispatch, InternedText("w"), history_.time());
    return saga == nullptr ? "" : saga->id;
  }
  std::uint64_t Slots(std::string_view queue = "default") {
    EXPECT_EQ(history_.state().SlotsUsedInAll(history_.time()) >=
                  history_.state().SlotsUsed(queue, history_.time()),
              true);
    return history_.state().SlotsUsed(queue, history_.time());
  }
  void Configure(std::string_view name, schema::PolicyT policy) {
    events::QueueConfiguredT body;
    body.queue = name;
    body.policy = std::make_unique<schema::PolicyT>(std::move(policy));
    history_.Append("", std::move(body));
  }
  void AbortDispatch(std::string_view saga) { history_.Append(saga, events::DispatchAbortedT()); }

  History history_;
};

TEST_F(Queues, ClaimGoesByPriorityThenAge) {
  history_.Plan("low", {.priority = -1});
  history_.Plan("old");
  history_.Plan("young");
  history_.Plan("urgent", {.priority = 5});
  std::vector<std::string> order;
  for (std::string next = First(); !next.empty(); next = First()) {
    order.push_back(next);
    history_.Acquire(next);
  }
  EXPECT_THAT(order, ElementsAre("urgent", "old", "young", "low"));
}

TEST_F(Queues, ReleasedSagaTakesItsOldPlace) {
  history_.Plan("a");
  history_.Plan("b");
  history_.Acquire("a");
  EXPECT_EQ(First(), "b");
  history_.Append("a", events::ReleasedT());
  EXPECT_EQ(First(), "a");
}

TEST_F(Queues, ThousandsKeepTheirOrderWhateverLeavesAndComesBack) {
  for (int i = 0; i < 1000; ++i) {
    history_.Plan("s" + std::to_string(10000 + i));
  }
  // All but every seventh leave; from the back, the front and the middle.
  for (int i = 999; i >= 0; --i) {
    const int n = (i * 389) % 1000;
    if (n % 7 != 0) {
      history_.Acquire("s" + std::to_string(10000 + n));
    }
  }
  // Of those every second comes back, in another order.
  for (int i = 0; i < 1000; ++i) {
    const int n = (i * 677) % 1000;
    if (n % 7 != 0 && n % 2 == 0) {
      history_.Append("s" + std::to_string(10000 + n), events::ReleasedT());
    }
  }
  for (int n = 0; n < 1000; ++n) {
    if (n % 7 == 0 || n % 2 == 0) {
      ASSERT_EQ(First(), "s" + std::to_string(10000 + n));
      history_.Acquire(First());
    }
  }
  EXPECT_EQ(First(), "");
}

TEST_F(Queues, ParkedSagaIsNotClaimedUntilItIsUnparked) {
  history_.Plan("a");
  history_.Park("a");
  EXPECT_EQ(First(), "");
  EXPECT_EQ(history_.state().PlannedIn("default"), 1U);
  history_.Append("a", events::UnparkedT());
  EXPECT_EQ(First(), "a");
}

TEST_F(Queues, DelayedSagaIsClaimedFromItsMomentOn) {
  history_.Plan("later", {.priority = 9, .not_before = 1010});
  history_.Plan("now");
  EXPECT_EQ(First(), "now");
  history_.SetTime(1009.999999);
  EXPECT_EQ(First(), "now");
  history_.SetTime(1010);
  EXPECT_EQ(First(), "later");
}

TEST_F(Queues, DependentWaitsForTheCompletionOfAllItsDependencies) {
  history_.Plan("a");
  history_.Plan("b");
  history_.Plan("c", {.priority = 1, .depends_on = {"a", "b"}});
  EXPECT_EQ(First(), "a");
  EXPECT_THAT(Ids(history_.state().DependentsOf("a")), ElementsAre("c"));
  history_.Acquire("a");
  history_.End("a");
  EXPECT_EQ(First(), "b");
  EXPECT_THAT(Ids(history_.state().DependentsOf("a")), ElementsAre());
  history_.Acquire("b");
  history_.End("b");
  EXPECT_EQ(First(), "c");
}

TEST_F(Queues, DependentOfAFailedSagaIsNeverClaimedAndStale) {
  history_.Plan("a");
  history_.Plan("c", {.depends_on = {"a"}});
  history_.Acquire("a");
  history_.SetTime(1005);
  history_.End("a", State::failed);
  EXPECT_EQ(First(), "");
  EXPECT_THAT(Ids(history_.state().Stale(history_.time(), 10)), ElementsAre("c"));
  EXPECT_EQ(history_.Get("c").extras->depends_on[0].dead_since, At(1005));
}

TEST_F(Queues, ExhaustedSagaIsAcquiredButNotDispatched) {
  history_.Plan("a");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(First(true), "a");
    history_.Dispatch("a");
    AbortDispatch("a");
  }
  EXPECT_EQ(First(true), "");
  EXPECT_EQ(First(false), "a");
  history_.Plan("b");
  EXPECT_EQ(First(true), "b");
  EXPECT_EQ(First(false), "a");
  schema::PolicyT policy;
  policy.max_dispatch_failures = kOff;
  Configure("default", policy);
  EXPECT_EQ(First(true), "a");
}

TEST_F(Queues, QueuesDoNotShareTheirSagas) {
  history_.Plan("a", {.queue = "x"});
  EXPECT_EQ(First(false, "y"), "");
  EXPECT_EQ(First(false, "x"), "a");
  EXPECT_THAT(history_.state().QueueNames(), ElementsAre("x"));
  Configure("y", {});
  EXPECT_THAT(history_.state().QueueNames(), ElementsAre("x", "y"));
}

TEST_F(Queues, SlotIsUsedUntilTheLeaseIsOver) {
  history_.Plan("a");
  history_.Plan("b", {.queue = "other"});
  EXPECT_EQ(Slots(), 0U);
  history_.Acquire("a", "w", 10);
  history_.Dispatch("b", "w", 20);
  EXPECT_EQ(Slots(), 1U);
  EXPECT_EQ(history_.state().SlotsUsedInAll(history_.time()), 2U);
  history_.SetTime(1005);
  history_.Heartbeat("a", 10);
  history_.SetTime(1014.999999);
  EXPECT_EQ(Slots(), 1U);
  history_.SetTime(1015);
  EXPECT_EQ(Slots(), 0U);
  EXPECT_EQ(history_.state().SlotsUsedInAll(history_.time()), 1U);
  history_.Acquire("a", "w2", 10, schema::LeaseHow::taken_over);
  EXPECT_EQ(Slots(), 1U);
  history_.End("a");
  EXPECT_EQ(Slots(), 0U);
  history_.SetTime(1020);
  EXPECT_EQ(history_.state().SlotsUsedInAll(history_.time()), 0U);
}

TEST_F(Queues, OpenSectionKeepsTheSlotUntilItIsOverdue) {
  history_.Plan("a");
  history_.Acquire("a", "w", 10);
  events::SectionEnteredT section;
  section.name = "push";
  section.max_age = Seconds(30);
  history_.Append("a", section);
  EXPECT_THAT(Ids(history_.state().WithOpenSection(10)), ElementsAre("a"));
  history_.SetTime(1029);
  EXPECT_EQ(Slots(), 1U);
  history_.SetTime(1030);
  EXPECT_EQ(Slots(), 0U);
  history_.Append("a", events::SectionLeftT());
  EXPECT_THAT(Ids(history_.state().WithOpenSection(10)), ElementsAre());
}

TEST_F(Queues, SagaInGraceKeepsItsSlot) {
  history_.Plan("a");
  history_.Acquire("a", "w", 10);
  history_.SetTime(1100);
  history_.ComeBack();
  EXPECT_EQ(Slots(), 1U);
  history_.SetTime(1129);
  EXPECT_EQ(Slots(), 1U);
  history_.SetTime(1130);
  EXPECT_EQ(Slots(), 0U);
}

TEST_F(Queues, SlotsOfManyLeasesEndEachAtItsMoment) {
  constexpr int kSagas = 1000;
  for (int i = 0; i < kSagas; ++i) {
    const std::string id = "s" + std::to_string(i);
    history_.Plan(id);
    // All within half a second, in no order: the moments share wide and narrow buckets.
    history_.Acquire(id, "w", 10 + (i * 1237 % kSagas) * 0.000450);
  }
  for (int ended = 0; ended <= kSagas; ended += 13) {
    history_.SetTime(1010 + ended * 0.000450 - 0.000001);
    ASSERT_EQ(Slots(), static_cast<std::uint64_t>(kSagas - ended));
  }
}

TEST_F(Queues, PolicyInForceIsTheSagasOverTheQueuesOverTheStores) {
  events::PolicyChangedT store;
  store.policy = std::make_unique<schema::PolicyT>();
  store.policy->lease_ttl = Seconds(1);
  store.policy->max_recoveries = 7;
  store.limit = 4;
  history_.Append("", std::move(store));
  schema::PolicyT queue;
  queue.lease_ttl = Seconds(2);
  Configure("q", queue);
  schema::PolicyT own;
  own.max_recoveries = kOff;
  const EffectivePolicy policy = history_.state().PolicyFor("q", &own);
  EXPECT_EQ(policy.lease_ttl, Duration(Seconds(2)));
  EXPECT_EQ(policy.max_recoveries, std::nullopt);
  EXPECT_EQ(history_.state().PolicyFor("r", nullptr).lease_ttl, Duration(Seconds(1)));
  EXPECT_EQ(history_.state().facts().limit, 4);
}

}  // namespace
}  // namespace sagalog
