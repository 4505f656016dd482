// Keys and generations, dependencies, claims, recovery limits.
#include <gtest/gtest.h>

#include "tests/reactor/rules_store.h"

namespace sagalog {
namespace {

constexpr const char* kMine = R"({"token":$TOKEN})";

void Complete(RulesStore& store, std::string_view saga) {
  ASSERT_EQ(store.Run("acquire", saga, R"({"owner":"w"})"), "ok");
  ASSERT_EQ(store.Run("complete", saga, kMine), "ok");
}

TEST(Key, IsHeldByOneLiveSaga) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T1", R"({"key":"acme/app#1"})"), "ok");
  EXPECT_EQ(store.Run("plan", "T2", R"({"key":"acme/app#1"})"), "already_exists");
  EXPECT_EQ(store.refusal().saga_id, "T1");
  EXPECT_EQ(store.refusal().subject, "key");
  ASSERT_EQ(store.Run("cancel", "T1"), "ok");
  EXPECT_EQ(store.Run("plan", "T2", R"({"key":"acme/app#1"})"), "ok");
  EXPECT_EQ(store.Saga("T2").generation, 2U);
}

TEST(Key, OfACompletedSagaNeedsAReasonToRunAgain) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T1", R"({"key":"k"})"), "ok");
  Complete(store, "T1");
  // Also when the saga has left memory.
  for (int checkpoint = 0; checkpoint < 3; ++checkpoint) {
    EXPECT_EQ(store.Run("plan", "T2", R"({"key":"k"})"), "already_exists") << checkpoint;
    EXPECT_EQ(store.refusal().saga_id, "T1");
    ASSERT_TRUE(store.store().Checkpoint().ok());
  }
  EXPECT_EQ(store.Run("plan", "T2", R"({"key":"k","rerun":"new data"})"), "ok");
  EXPECT_EQ(store.Saga("T2").generation, 2U);
  EXPECT_EQ(store.Saga("T2").rerun, "new data");
}

TEST(Key, KeepsTheHistoryOfAllItsGenerations) {
  RulesStore store;
  for (const char* id : {"T1", "T2", "T3"}) {
    ASSERT_EQ(store.Run("plan", id, R"({"key":"k"})"), "ok");
    ASSERT_EQ(store.Run("cancel", id), "ok");
    ASSERT_TRUE(store.store().Checkpoint().ok());
  }
  ASSERT_EQ(store.Run("plan", "T4", R"({"key":"k"})"), "ok");
  EXPECT_EQ(store.Saga("T4").generation, 4U);
  SagaQuery query;
  query.key = "k";
  const auto page = store.store().List(query);
  ASSERT_TRUE(page.ok());
  ASSERT_EQ(page->items.size(), 4U);
  EXPECT_EQ(page->items.front()->saga_id, "T1");
  EXPECT_EQ(page->items.back()->saga_id, "T4");
}

TEST(SagaId, IsNeverReusedNotEvenAfterItLeftMemory) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T"), "ok");
  Complete(store, "T");
  for (int checkpoint = 0; checkpoint < 3; ++checkpoint) {
    EXPECT_EQ(store.Run("plan", "T"), "already_exists") << checkpoint;
    EXPECT_EQ(store.Run("acquire", "T", R"({"owner":"w"})"), "terminal") << checkpoint;
    EXPECT_EQ(store.Run("annotate", "T", R"({"text":"late"})"), "ok") << checkpoint;
    ASSERT_TRUE(store.store().Checkpoint().ok());
    ASSERT_TRUE(store.store().Checkpoint().ok());
  }
  EXPECT_EQ(store.StateOf("T"), "completed");
  EXPECT_EQ(store.Saga("T").version, 6U);
}

TEST(Dependency, HoldsASagaBackUntilItIsCompleted) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "A"), "ok");
  ASSERT_EQ(store.Run("plan", "B", R"({"depends_on":["A"]})"), "ok");
  EXPECT_EQ(store.Run("acquire", "B", R"({"owner":"w"})"), "dependency_unmet");
  EXPECT_EQ(store.refusal().subject, "A");
  Complete(store, "A");
  EXPECT_EQ(store.Run("acquire", "B", R"({"owner":"w"})"), "ok");
}

TEST(Dependency, ThatEndedOtherwiseIsVisibleAsDead) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "A"), "ok");
  ASSERT_EQ(store.Run("plan", "B", R"({"depends_on":["A"]})"), "ok");
  ASSERT_EQ(store.Run("cancel", "A"), "ok");
  EXPECT_EQ(store.StaleOf("B"), "dependency_dead");
  ASSERT_TRUE(store.store().Checkpoint().ok());
  ASSERT_TRUE(store.store().Checkpoint().ok());
  ASSERT_EQ(store.Run("plan", "C", R"({"depends_on":["A"]})"), "ok");
  EXPECT_EQ(store.StaleOf("C"), "dependency_dead") << "known at planning, from the rows";
}

TEST(Dependency, CyclesAreRefusedAtPlanning) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "A", R"({"depends_on":["B"]})"), "ok");
  ASSERT_EQ(store.Run("plan", "B", R"({"depends_on":["C"]})"), "ok");
  EXPECT_EQ(store.Run("plan", "C", R"({"depends_on":["A"]})"), "invalid_argument");
  EXPECT_EQ(store.Run("plan", "C"), "ok");
}

TEST(Dependency, GraphsOfAnySizeArePlannedInOrder) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T0"), "ok");
  for (int i = 1; i <= 300; ++i) {
    ASSERT_EQ(store.Run("plan", "T" + std::to_string(i),
                        R"({"depends_on":["T)" + std::to_string(i - 1) + "\"]}"),
              "ok");
  }
  EXPECT_EQ(store.Run("plan", "X", R"({"depends_on":["T300","Y"]})"), "ok");
  EXPECT_EQ(store.Run("plan", "Y", R"({"depends_on":["T300"]})"), "ok")
      << "X waits for it: no cycle";
}

TEST(Dependency, ACycleLongerThanIsSearchedForIsNotLetThrough) {
  RulesStore store;
  // S0 waits for 200 sagas, each of which waits for 60 that nobody plans. The one that waits for T
  // is looked at last.
  std::string row;
  for (int i = 0; i < 200; ++i) {
    row += (i == 0 ? "\"S" : ",\"S") + std::to_string(i + 1) + "\"";
  }
  ASSERT_EQ(store.Run("plan", "S0", R"({"depends_on":[)" + row + "]}"), "ok");
  for (int i = 0; i < 200; ++i) {
    std::string waits = i == 0 ? "\"T\"" : "\"W\"";
    for (int j = 0; j < 60; ++j) {
      waits += ",\"W" + std::to_string(i) + "-" + std::to_string(j) + "\"";
    }
    ASSERT_EQ(store.Run("plan", "S" + std::to_string(i + 1), R"({"depends_on":[)" + waits + "]}"),
              "ok");
  }
  EXPECT_EQ(store.Run("plan", "T", R"({"depends_on":["S0"]})"), "limit_reached");
  EXPECT_EQ(store.refusal().limit, 10'000);
  EXPECT_EQ(store.refusal().subject, "depends_on");
  ASSERT_EQ(store.Run("plan", "U", R"({"depends_on":["S0"]})"), "ok") << "nobody waits for U";
}

TEST(Claim, PassesOverWhatMayNeverBeDispatched) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T", R"({"policy":{"max_dispatch_failures":0}})"), "ok");
  ASSERT_EQ(store.Run("plan", "U"), "ok");
  ASSERT_EQ(store.Run("claim_next", "", R"({"queue":"default","owner":"d","as":"dispatch"})"),
            "ok");
  EXPECT_EQ(store.answer().saga->saga_id, "U");
  EXPECT_EQ(store.Run("claim_next", "", R"({"queue":"default","owner":"d","as":"dispatch"})"),
            "empty");
  EXPECT_EQ(store.Run("claim_next", "", R"({"queue":"default","owner":"w"})"), "ok");
  EXPECT_EQ(store.answer().saga->saga_id, "T");
}

TEST(Claim, TakesTheFirstByPriorityThenAge) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "old"), "ok");
  ASSERT_EQ(store.Run("plan", "young"), "ok");
  ASSERT_EQ(store.Run("plan", "urgent", R"({"priority":5})"), "ok");
  ASSERT_EQ(store.Run("plan", "parked", R"({"priority":9})"), "ok");
  ASSERT_EQ(store.Run("park", "parked", R"({"reason":"later"})"), "ok");
  ASSERT_EQ(store.Run("plan", "delayed", R"({"priority":9,"not_before":"10s"})"), "ok");
  ASSERT_EQ(store.Run("plan", "waiting", R"({"priority":9,"depends_on":["old"]})"), "ok");
  for (const char* expected : {"urgent", "old", "young"}) {
    ASSERT_EQ(store.Run("claim_next", "", R"({"queue":"default","owner":"w"})"), "ok");
    EXPECT_EQ(store.answer().saga->saga_id, expected);
  }
  EXPECT_EQ(store.Run("claim_next", "", R"({"queue":"default","owner":"w"})"), "empty");
  store.Advance("10s");
  ASSERT_EQ(store.Run("claim_next", "", R"({"queue":"default","owner":"w","as":"dispatch"})"),
            "ok");
  EXPECT_EQ(store.answer().saga->saga_id, "delayed");
  EXPECT_EQ(store.StateOf("delayed"), "dispatched");
  ASSERT_EQ(store.Run("unpark", "parked"), "ok");
  ASSERT_EQ(store.Run("claim_next", "", R"({"queue":"default","owner":"w"})"), "ok");
  EXPECT_EQ(store.answer().saga->saga_id, "parked");
}

TEST(Park, HoldsASagaBack) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T"), "ok");
  ASSERT_EQ(store.Run("park", "T"), "ok");
  EXPECT_EQ(store.Run("park", "T"), "ok:unchanged");
  EXPECT_EQ(store.Run("acquire", "T", R"({"owner":"w"})"), "parked");
  EXPECT_EQ(store.Run("dispatch", "T", R"({"owner":"d"})"), "parked");
  EXPECT_EQ(store.Run("unpark", "T"), "ok");
  EXPECT_EQ(store.Run("acquire", "T", R"({"owner":"w"})"), "ok");
}

TEST(NotBefore, IsUtcWhateverOffsetTheCallerWrites) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T", R"({"not_before":"2026-01-01T02:00:10+02:00"})"), "ok");
  EXPECT_EQ(store.Run("acquire", "T", R"({"owner":"w"})"), "not_before");
  store.Advance("9.999999s");
  EXPECT_EQ(store.Run("acquire", "T", R"({"owner":"w"})"), "not_before");
  store.Advance("1us");
  EXPECT_EQ(store.Run("acquire", "T", R"({"owner":"w"})"), "ok");
}

TEST(Recovery, IsRefusedWhenAnythingHappenedSinceItWasObserved) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T"), "ok");
  ASSERT_EQ(store.Run("acquire", "T", R"({"owner":"w","ttl":"10s"})"), "ok");
  store.Advance("10s");
  const std::string observed = std::to_string(store.Saga("T").version);
  ASSERT_EQ(store.Run("annotate", "T", R"({"text":"n"})"), "ok");
  EXPECT_EQ(store.Run("recover", "T", R"({"decision":"requeue","observed":)" + observed + "}"),
            "version_conflict");
  EXPECT_EQ(store.Run("recover", "T", R"({"decision":"requeue","observed":$VERSION})"), "ok");
  EXPECT_EQ(store.StateOf("T"), "planned");
  EXPECT_EQ(store.Saga("T").recoveries, 1U);
}

TEST(Recovery, OfAPoisonTaskEndsAtTheLimit) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T", R"({"policy":{"max_recoveries":1}})"), "ok");
  for (const char* expected : {"ok", "limit_reached"}) {
    ASSERT_EQ(store.Run("acquire", "T", R"({"owner":"w","ttl":"10s"})"), "ok");
    store.Advance("10s");
    EXPECT_EQ(store.Run("recover", "T", R"({"decision":"requeue","observed":$VERSION})"), expected);
  }
  EXPECT_EQ(store.Run("acquire", "T", R"({"owner":"x"})"), "limit_reached");
  EXPECT_EQ(store.Run("recover", "T", R"({"decision":"fail","observed":$VERSION})"),
            "compensation_missing");
  EXPECT_EQ(store.Run("recover", "T", R"({"decision":"quarantine","observed":$VERSION})"), "ok");
  EXPECT_EQ(store.StateOf("T"), "quarantined");
}

TEST(Recovery, OfAPlannedSagaWithADeadDependency) {
  for (const char* decision : {"fail", "quarantine", "cancel", "complete", "compensate"}) {
    RulesStore store;
    ASSERT_EQ(store.Run("plan", "A"), "ok");
    ASSERT_EQ(store.Run("plan", "T",
                        R"({"depends_on":["A"],
                            "compensations":[{"id":"c","kind":"undo","target":"t"}]})"),
              "ok");
    ASSERT_EQ(store.Run("cancel", "A"), "ok");
    EXPECT_EQ(store.Run("recover", "T", R"({"decision":"requeue","observed":$VERSION})"),
              "wrong_state");
    EXPECT_EQ(store.Run("recover", "T",
                        R"({"gate":"pass","observed":$VERSION,"decision":")" +
                            std::string(decision) + "\"}"),
              "ok")
        << decision;
  }
}

TEST(Configuration, ThatChangesNothingIsUnchanged) {
  RulesStore store;
  for (const char* first : {"ok", "ok:unchanged"}) {
    EXPECT_EQ(store.Run("configure_queue", "",
                        R"({"queue":"q","limit":3,"frozen":true,"policy":{"lease_ttl":"5s"}})"),
              first);
    EXPECT_EQ(store.Run("change_policy", "", R"({"limit":9,"policy":{"max_recoveries":"off"}})"),
              first);
  }
  const std::uint64_t last = store.LastSequence();
  EXPECT_EQ(store.Run("configure_queue", "", R"({"queue":"q","policy":{"lease_ttl":"5s"}})"),
            "ok:unchanged");
  EXPECT_EQ(store.LastSequence(), last);
  EXPECT_EQ(store.Run("configure_queue", "", R"({"queue":"q","policy":{"lease_ttl":"6s"}})"), "ok");
}

TEST(Recovery, NeedsAPassedGateToComplete) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T"), "ok");
  ASSERT_EQ(store.Run("acquire", "T", R"({"owner":"w","ttl":"10s"})"), "ok");
  ASSERT_EQ(store.Run("record_exit", "T", R"({"token":$TOKEN,"exit_code":0})"), "ok");
  store.Advance("11s");
  EXPECT_EQ(store.StaleOf("T"), "") << "its finaliser may still be at work";
  store.Advance("300s");
  EXPECT_EQ(store.StaleOf("T"), "exited");
  EXPECT_EQ(store.Run("recover", "T", R"({"decision":"complete","observed":$VERSION})"),
            "gate_missing");
  EXPECT_EQ(
      store.Run("recover", "T", R"({"decision":"complete","gate":"pass","observed":$VERSION})"),
      "ok");
  EXPECT_EQ(store.StateOf("T"), "completed");
}

}  // namespace
}  // namespace sagalog
