// Slots: how many sagas of a queue, and of the store, may be held at a time.
#include <gtest/gtest.h>

#include "tests/reactor/rules_store.h"

namespace sagalog {
namespace {

std::string Acquire(RulesStore& store, std::string_view saga, std::string_view owner) {
  return store.Run("acquire", saga, R"({"ttl":"10s","owner":")" + std::string(owner) + "\"}");
}

std::string Claim(RulesStore& store, std::string_view more = R"("queue":"default")") {
  return store.Run("claim_next", "", R"({"owner":"c",)" + std::string(more) + "}");
}

// Plans A and B in the default queue and C in another.
void PlanThree(RulesStore& store) {
  ASSERT_EQ(store.Run("plan", "A"), "ok");
  ASSERT_EQ(store.Run("plan", "B"), "ok");
  ASSERT_EQ(store.Run("plan", "C", R"({"queue":"other"})"), "ok");
}

TEST(Slots, OfAQueueAreLimited) {
  RulesStore store;
  PlanThree(store);
  ASSERT_EQ(store.Run("configure_queue", "", R"({"queue":"default","limit":1})"), "ok");
  ASSERT_EQ(Acquire(store, "A", "w"), "ok");
  EXPECT_EQ(Acquire(store, "B", "w"), "limit_reached");
  EXPECT_EQ(store.refusal().limit, 1);
  EXPECT_EQ(store.refusal().actual, 1);
  EXPECT_EQ(store.refusal().subject, "queue default");
  EXPECT_EQ(Claim(store), "limit_reached");
  EXPECT_EQ(Acquire(store, "C", "w"), "ok") << "another queue";
  ASSERT_EQ(store.Run("complete", "A", R"({"token":$TOKEN})"), "ok");
  EXPECT_EQ(Claim(store), "ok");
}

TEST(Slots, OfTheStoreAreLimitedOverAllQueues) {
  RulesStore store;
  PlanThree(store);
  ASSERT_EQ(store.Run("change_policy", "", R"({"limit":1})"), "ok");
  ASSERT_EQ(Acquire(store, "A", "w"), "ok");
  EXPECT_EQ(Acquire(store, "C", "w"), "limit_reached");
  EXPECT_EQ(store.refusal().subject, "the store");
  EXPECT_EQ(Claim(store, R"("queue":"other")"), "limit_reached");
}

TEST(Slots, ThatASagaHoldsItselfAreNotInItsWay) {
  RulesStore store;
  PlanThree(store);
  ASSERT_EQ(store.Run("configure_queue", "", R"({"queue":"default","limit":1})"), "ok");
  ASSERT_EQ(Acquire(store, "A", "w"), "ok");
  store.Crash("60s");
  EXPECT_EQ(Acquire(store, "B", "w"), "limit_reached") << "A is in grace and keeps its slot";
  EXPECT_EQ(Acquire(store, "A", "w"), "ok");
}

TEST(Slots, AreLostAtTheVeryInstantTheLeaseIsOver) {
  RulesStore store;
  PlanThree(store);
  ASSERT_EQ(store.Run("configure_queue", "", R"({"queue":"default","limit":1})"), "ok");
  ASSERT_EQ(Acquire(store, "A", "w"), "ok");
  store.Advance("10s");
  ASSERT_EQ(Acquire(store, "B", "w"), "ok");
  EXPECT_EQ(Acquire(store, "A", "w"), "limit_reached") << "its slot went to B";
}

TEST(Slots, AreWithoutLimitUnlessOneIsSet) {
  RulesStore store;
  PlanThree(store);
  for (const char* saga : {"A", "B", "C"}) {
    EXPECT_EQ(Acquire(store, saga, "w"), "ok");
  }
}

TEST(Freeze, HoldsClaimsOfItsQueueBack) {
  RulesStore store;
  PlanThree(store);
  ASSERT_EQ(store.Run("configure_queue", "", R"({"queue":"default","frozen":true})"), "ok");
  EXPECT_EQ(Claim(store), "frozen");
  EXPECT_EQ(store.refusal().subject, "default");
  EXPECT_EQ(Acquire(store, "A", "w"), "frozen");
  EXPECT_EQ(Claim(store, R"("queue":"other")"), "ok");
  ASSERT_EQ(store.Run("configure_queue", "", R"({"queue":"default","frozen":false})"), "ok");
  EXPECT_EQ(Claim(store), "ok");
}

TEST(Request, ForASagaThatDoesNotExistIsNotFound) {
  RulesStore store;
  EXPECT_EQ(store.Run("cancel", "ghost", R"({"request_id":"0000000000000000000000000000000a"})"),
            "not_found");
}

TEST(AbortDispatch, OfASagaThatWasNeverDispatchedIsStale) {
  RulesStore store;
  PlanThree(store);
  ASSERT_EQ(Acquire(store, "A", "w"), "ok");
  EXPECT_EQ(store.Run("abort_dispatch", "A", R"({"dispatch_token":$TOKEN})"), "stale_token");
}

TEST(AbortDispatch, IsStaleOnceItsWorkerHasLetGo) {
  RulesStore store;
  PlanThree(store);
  ASSERT_EQ(store.Run("dispatch", "A", R"({"owner":"d"})"), "ok");
  const std::string spent = std::to_string(store.TokenOf("A"));
  ASSERT_EQ(store.Run("acquire", "A", R"({"owner":"w","dispatch_token":$TOKEN})"), "ok");
  EXPECT_EQ(store.Run("abort_dispatch", "A", R"({"owner":"d","dispatch_token":)" + spent + "}"),
            "lease_held")
      << "the dispatcher named itself, and is no impostor";
  ASSERT_EQ(store.Run("release", "A", R"({"token":$TOKEN})"), "ok");
  EXPECT_EQ(store.Run("abort_dispatch", "A", R"({"dispatch_token":)" + spent + "}"), "stale_token");
}

}  // namespace
}  // namespace sagalog
