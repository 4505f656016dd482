// The rules at their edges: cases that only one guard tells apart from a neighbouring one.
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "reactor/decide.h"
#include "schema/json.h"
#include "tests/projections/no_rows.h"
#include "tests/reactor/rules_script.h"

namespace sagalog {
namespace {

// Everything that has ended and is settled leaves memory.
void LeaveMemory(RulesStore& store) {
  for (int checkpoint = 0; checkpoint < 3; ++checkpoint) {
    ASSERT_TRUE(store.store().Checkpoint().ok());
    store.Run("configure_queue", "", fmt::format(R"({{"queue":"q","limit":{}}})", checkpoint + 1));
  }
}

TEST(LookUp, ThatMetDamageIsRefusedAsCorrupt) {
  NoRows rows;
  const Projections state(rows);
  Lookups lookups;
  lookups.status = Status(Code::kCorruption, "a row is damaged");
  const auto command = CommandFromJson("plan", "T", "{}");
  ASSERT_TRUE(command.ok());
  const Decision decision =
      Decide(state, lookups, *command, 0, DecideContext{StoreTime(), Token(1), nullptr});
  ASSERT_NE(decision.refusal, nullptr);
  EXPECT_EQ(decision.refusal->code, schema::RefusalCode::corrupt);
  EXPECT_EQ(decision.refusal->detail, "a row is damaged");
}

TEST(LookUp, GivesWayToWhatMemoryKnowsSince) {
  RulesStore store;
  ASSERT_EQ(Play(store, "plan T\n cancel T"), "ok");
  LeaveMemory(store);
  // Both are looked up before the first of them changes the saga.
  std::vector<commands::CommandT> batch(2);
  for (std::uint64_t i = 0; i < 2; ++i) {
    commands::AnnotateT annotate;
    annotate.text = "late";
    batch[i].saga_id = "T";
    batch[i].expected_version = 3 + i;
    batch[i].body.Set(std::move(annotate));
  }
  EXPECT_FALSE(store.store().ExecuteBatch(std::move(batch), true, false).refusal.has_value());
  EXPECT_EQ(store.Saga("T").version, 5U);
}

TEST(Request, OfTheStoreIsKnownByItsWholeId) {
  RulesStore store;
  const auto limit = [&store](int most, const char* high, const char* low) {
    return store.Run(
        "configure_queue", "",
        fmt::format(R"({{"queue":"q","limit":{},"request_id":"{}{}"}})", most, high, low));
  };
  ASSERT_EQ(limit(1, "0000000000000001", "00000000000000aa"), "ok");
  // Each half alone is another request's too.
  EXPECT_EQ(limit(2, "0000000000000001", "00000000000000bb"), "ok");
  EXPECT_EQ(limit(3, "0000000000000002", "00000000000000aa"), "ok");
  EXPECT_EQ(limit(4, "0000000000000001", "00000000000000aa"), "request_conflict");
}

TEST(Dependency, ThatHasLeftMemoryCountsAsItEnded) {
  RulesStore store;
  ASSERT_EQ(Play(store, R"(plan done
                           acquire done {"owner":"w"}
                           complete done {"token":$TOKEN}
                           plan dead
                           cancel dead)"),
            "ok");
  LeaveMemory(store);
  ASSERT_EQ(Play(store, R"(plan A {"depends_on":["done","dead"]}
                           plan B {"depends_on":["dead","done"]}
                           plan C {"depends_on":["done"]})"),
            "ok");
  for (const char* saga : {"A", "B"}) {
    EXPECT_EQ(store.StaleOf(saga), "dependency_dead");
    EXPECT_EQ(store.Run("acquire", saga, R"({"owner":"w"})"), "dependency_unmet");
    EXPECT_EQ(store.refusal().subject, "dead");
  }
  EXPECT_EQ(Play(store, R"(acquire C {"owner":"w"})"), "ok");
}

TEST(Dependency, GraphsWithManyWaysThroughThemAreSearchedOnce) {
  RulesStore store;
  // Each step of the ladder doubles the ways down; somebody waits for its foot.
  ASSERT_EQ(Play(store, "plan L0\n plan R0"), "ok");
  constexpr int kSteps = 60;
  for (int i = 1; i <= kSteps; ++i) {
    for (const char* side : {"L", "R"}) {
      ASSERT_EQ(store.Run("plan", fmt::format("{}{}", side, i),
                          fmt::format(R"({{"depends_on":["L{0}","R{0}"]}})", i - 1)),
                "ok");
    }
  }
  ASSERT_EQ(Play(store, R"(plan W {"depends_on":["T"]})"), "ok");
  EXPECT_EQ(Play(store, fmt::format(R"(plan T {{"depends_on":["L{0}","R{0}"]}})", kSteps)), "ok");
}

TEST(Parent, ThatHasEndedTakesNoChildrenThoughItIsStillKept) {
  RulesStore store;
  ASSERT_EQ(Play(store,
                 R"(plan P {"compensations":[{"id":"c","kind":"k","target":"t"}]}
                    cancel P)"),
            "ok");
  EXPECT_EQ(Play(store, R"(plan C {"parent":"P"})"), "not_found");
  EXPECT_EQ(store.refusal().subject, "P");
}

TEST(Dependency, GraphsAreSearchedUpToTheirLimitAndNoFurther) {
  RulesStore store;
  ASSERT_EQ(Play(store, R"(plan S1
                           plan W {"depends_on":["T"]}
                           plan X {"depends_on":["Y"]})"),
            "ok");
  constexpr int kMost = 10'000;
  for (int i = 2; i <= kMost + 1; ++i) {
    ASSERT_EQ(
        store.Run("plan", fmt::format("S{}", i), fmt::format(R"({{"depends_on":["S{}"]}})", i - 1)),
        "ok");
  }
  EXPECT_EQ(Play(store, fmt::format(R"(plan Y {{"depends_on":["S{}"]}})", kMost + 1)),
            "limit_reached");
  EXPECT_EQ(store.refusal().limit, kMost);
  EXPECT_EQ(Play(store, fmt::format(R"(plan T {{"depends_on":["S{}"]}})", kMost)), "ok");
}

TEST(Dependency, OnWhatHasEndedOrIsUnknownClosesNoCycle) {
  RulesStore store;
  // E waited for T, and waits no more; U is planned by nobody; N waits for nothing.
  ASSERT_EQ(Play(store,
                 R"(plan E {"depends_on":["T"],"compensations":[{"id":"c","kind":"k","target":"t"}]}
                           cancel E
                           plan N
                           plan W {"depends_on":["T"]})"),
            "ok");
  EXPECT_EQ(Play(store, R"(plan T {"depends_on":["E","U","N"]})"), "ok");
}

TEST(Cascade, TakesAsManyAsFitOneAppendAndOneSagaOfAnyFamily) {
  RulesStore store;
  ASSERT_EQ(Play(store, "plan P"), "ok");
  constexpr int kChildren = 2047;
  for (int i = 0; i < kChildren; ++i) {
    ASSERT_EQ(store.Run("plan", fmt::format("C{}", i), R"({"parent":"P"})"), "ok");
  }
  ASSERT_EQ(Play(store, R"(plan more {"parent":"P"})"), "ok");
  EXPECT_EQ(Play(store, R"(cancel P {"cascade":true})"), "limit_reached");
  EXPECT_EQ(store.refusal().limit, 2048);
  EXPECT_EQ(store.refusal().actual, 2049);
  ASSERT_EQ(Play(store, "cancel more"), "ok");
  EXPECT_EQ(Play(store, R"(cancel P {"cascade":true})"), "ok");
  EXPECT_EQ(store.StateOf("C0"), "cancelled");
  EXPECT_EQ(store.StateOf(fmt::format("C{}", kChildren - 1)), "cancelled");
}

TEST(Cancel, OfOneSagaAsksNothingOfItsFamily) {
  RulesStore store;
  ASSERT_EQ(Play(store, "plan P"), "ok");
  for (int i = 0; i < 2048; ++i) {
    ASSERT_EQ(store.Run("plan", fmt::format("C{}", i), R"({"parent":"P"})"), "ok");
  }
  EXPECT_EQ(Play(store, "cancel P"), "ok");
  EXPECT_EQ(store.StateOf("C0"), "planned");
}

TEST(Freeze, HoldsBackNobodyWhoWasDispatchedAndNothingThatCompensates) {
  RulesStore store;
  ASSERT_EQ(Play(store, R"(plan D
                           dispatch D {"owner":"d"}
                           plan C {"compensations":[{"id":"c","kind":"k","target":"t"}]}
                           acquire C {"owner":"w"}
                           compensate C {"token":$TOKEN}
                           configure_queue - {"queue":"default","frozen":true})"),
            "ok");
  EXPECT_EQ(Play(store, R"(acquire D {"owner":"w","dispatch_token":$TOKEN})"), "ok");
  EXPECT_EQ(Play(store, R"(dispatch C {"owner":"d"})"), "wrong_state");
  ASSERT_EQ(Play(store, R"(configure_queue - {"queue":"default","frozen":false,"limit":0})"), "ok");
  EXPECT_EQ(Play(store, R"(dispatch C {"owner":"d"})"), "wrong_state");
  EXPECT_EQ(Play(store, R"(acquire C {"owner":"d"})"), "wrong_state");
}

constexpr const char* kReport = R"({{"identity":{{"host":"h","pid":7}},"verdict":"{}"}})";

std::string Report(RulesStore& store, std::string_view verdict) {
  return store.Run("report_owner", "T", fmt::format(kReport, verdict));
}

TEST(OwnerReport, OfADeathOverridesThatItWasAliveAMomentAgo) {
  RulesStore store;
  ASSERT_EQ(Play(store, R"(plan T
                           acquire T {"owner":{"owner":"w","host":"h","pid":7},"ttl":"10s"}
                           advance 10s)"),
            "ok");
  ASSERT_EQ(Report(store, "alive"), "ok:alive");
  EXPECT_EQ(Play(store, R"(acquire T {"owner":"x"})"), "lease_held");
  EXPECT_EQ(Play(store, R"(recover T {"observed":$VERSION,"decision":"requeue"})"), "owner_alive");
  ASSERT_EQ(Report(store, "dead"), "ok:dead");
  EXPECT_EQ(Play(store, R"(acquire T {"owner":"x"})"), "ok");
}

TEST(Recovery, OfAnOwnerReportedAliveNeedsMoreThanItsSilence) {
  RulesStore store;
  ASSERT_EQ(Play(store, R"(
      plan T {"policy":{"max_running":"600s","lease_ttl":"10s"}}
      acquire T {"owner":{"owner":"w","host":"h","pid":7},"ttl":"630s"}
      advance 600s)"),
            "ok");
  ASSERT_EQ(Report(store, "alive"), "ok:alive");
  EXPECT_EQ(store.StaleOf("T"), "max_running");
  constexpr const char* kRequeue =
      R"(recover T {"observed":$VERSION,"decision":"requeue","counts":false})";
  ASSERT_EQ(Play(store, kRequeue), "ok") << "its lease lives";
  ASSERT_EQ(Play(store, R"(acquire T {"owner":{"owner":"w","host":"h","pid":7},"ttl":"10s"}
                           advance 600s)"),
            "ok");
  ASSERT_EQ(Report(store, "alive"), "ok:alive");
  EXPECT_EQ(store.StaleOf("T"), "lease_expired max_running");
  EXPECT_EQ(Play(store, kRequeue), "ok");
}

TEST(Recovery, PutsOffOnlyWhatItRequeues) {
  for (const char* decision : {"requeue", "quarantine"}) {
    RulesStore store;
    ASSERT_EQ(Play(store, R"(plan T {"policy":{"requeue_backoff":"60s"}}
                             acquire T {"owner":"w","ttl":"10s"}
                             advance 10s)"),
              "ok");
    ASSERT_EQ(store.Run("recover", "T",
                        fmt::format(R"({{"observed":$VERSION,"decision":"{}"}})", decision)),
              "ok");
    const auto history = store.store().History("T", false, 2);
    ASSERT_TRUE(history.ok());
    for (const StoredEvent& event : *history) {
      if (const auto* recovered = event->body_as_Recovered()) {
        EXPECT_EQ(recovered->not_before() != 0, std::string_view(decision) == "requeue");
      }
    }
  }
}

TEST(Exit, HoldsNobodyOffWhereFinalisingIsSwitchedOff) {
  RulesStore store;
  ASSERT_EQ(Play(store, R"(plan T {"policy":{"finalize_grace":"off"}}
                           acquire T {"owner":"w","ttl":"10s"}
                           record_exit T {"token":$TOKEN,"exit_code":0}
                           advance 10s)"),
            "ok");
  EXPECT_EQ(store.StaleOf("T"), "exited");
  EXPECT_EQ(Play(store, R"(acquire T {"owner":"x"})"), "ok");
}

TEST(ProcessReport, OfNoProcessAndNoBootAreAboutNobody) {
  RulesStore store;
  ASSERT_EQ(Play(store, R"(plan A
                           acquire A {"owner":{"owner":"w","host":"h","boot_id":"b"}}
                           plan B
                           acquire B {"owner":{"owner":"w","host":"h","boot_id":"b","pid":7}})"),
            "ok");
  EXPECT_EQ(
      Play(store, R"(report_owners - {"identity":{"host":"h","boot_id":"b"},"verdict":"dead"})"),
      "ok:unchanged")
      << "no process is named";
  EXPECT_EQ(Play(store, R"(report_owners - {"identity":{"host":"h"},"verdict":"dead"})"),
            "ok:unchanged")
      << "no boot is named, so none is older";
  EXPECT_EQ(store.StaleOf("A"), "");
}

TEST(Slots, OfAClaimAreCountedAtTheVeryInstantOneIsFreed) {
  RulesStore store;
  ASSERT_EQ(Play(store, R"(plan T
                           dispatch T {"owner":"d","ttl":"10s"}
                           configure_queue - {"queue":"default","limit":1}
                           advance 10s)"),
            "ok");
  EXPECT_EQ(Play(store, R"(acquire T {"owner":"w","dispatch_token":$TOKEN})"), "ok");
}

}  // namespace
}  // namespace sagalog
