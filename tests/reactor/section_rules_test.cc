// Critical sections: nobody but a recovery ends another's, and a cancel waits for its end.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "schema/json.h"
#include "tests/reactor/rules_script.h"

namespace sagalog {
namespace {

constexpr const char* kInside = R"(
    plan T {"compensations":[{"id":"c","kind":"undo","target":"t"}]}
    acquire T {"owner":{"owner":"w","host":"h","pid":7},"ttl":"60s"}
    enter_section T {"token":$TOKEN,"name":"push","max_age":"5s"})";
constexpr const char* kDead =
    R"(report_owner T {"identity":{"host":"h","pid":7},"verdict":"dead"})";

constexpr const char* kCancelIt =
    R"({"observed":$VERSION,"decision":"cancel","section_outcome":"undone"})";

TEST(Section, OfAnOverdueOrDeadOwnerIsNotEndedByWhoCannotSayWhatBecameOfIt) {
  for (const char* lost : {"advance 61s", kDead}) {
    SCOPED_TRACE(lost);
    RulesStore store;
    ASSERT_EQ(Play(store, kInside), "ok");
    ASSERT_TRUE(Play(store, lost).starts_with("ok"));
    store.Advance("60s");
    EXPECT_EQ(Play(store, R"(acquire T {"owner":"x"})"), "section_open");
    EXPECT_EQ(Play(store, "quarantine T"), "section_open");
    EXPECT_EQ(Play(store, R"(recover T {"observed":$VERSION,"decision":"cancel"})"),
              "section_open");
    EXPECT_EQ(store.Run("recover", "T", kCancelIt), "ok");
    EXPECT_EQ(store.StateOf("T"), "cancelled");
  }
}

TEST(Section, ThatIsOverdueHoldsACancelOffUntilSomebodySaysWhatBecameOfIt) {
  RulesStore store;
  ASSERT_EQ(Play(store, kInside), "ok");
  ASSERT_EQ(Play(store, "cancel T"), "ok:deferred");
  EXPECT_EQ(store.StaleOf("T"), "cancel_pending");
  store.Advance("5s");
  EXPECT_EQ(store.StaleOf("T"), "section_overdue cancel_pending") << "somebody can act";
  EXPECT_EQ(Play(store, "cancel T"), "ok:unchanged") << "its owner may still be inside";
  store.Advance("60s");
  EXPECT_EQ(store.StaleOf("T"), "section_overdue cancel_pending");
  EXPECT_EQ(Play(store, "cancel T"), "ok:unchanged");
  EXPECT_EQ(store.Run("recover", "T",
                      R"({"observed":$VERSION,"decision":"requeue","section_outcome":"undone"})"),
            "cancel_pending");
  EXPECT_EQ(store.Run("recover", "T", kCancelIt), "ok");
  EXPECT_EQ(store.StateOf("T"), "cancelled");
}

// The types of the saga's events, the newest `count`.
std::string NewestEvents(RulesStore& store, std::string_view saga, std::size_t count) {
  const auto history = store.store().History(saga, false, count);
  EXPECT_TRUE(history.ok());
  std::string types;
  for (const StoredEvent& event : *history) {
    types += fmt::format("{}{}", types.empty() ? "" : " ", EventTypeName(event->body_type()));
  }
  return types;
}

TEST(Section, OfADeadOwnerHoldsNoCancelOff) {
  RulesStore store;
  ASSERT_EQ(Play(store, kInside), "ok");
  ASSERT_EQ(Play(store, kDead), "ok:dead");
  ASSERT_EQ(Play(store, R"(cancel T {"reason":"STOP"})"), "ok");
  EXPECT_EQ(store.StateOf("T"), "cancelled");
  EXPECT_EQ(store.Saga("T").reason, "STOP");
  EXPECT_EQ(store.Saga("T").section, nullptr);
  EXPECT_EQ(store.StaleOf("T"), "compensation_owed");
  EXPECT_EQ(NewestEvents(store, "T", 3), "cancel_requested section_left terminal");
  EXPECT_EQ(Play(store, R"(claim_compensation T {"id":"c","executor":"j"})"), "ok");
}

TEST(Section, OfAnOwnerThatDiesAfterTheCancelIsListedUntilSomebodyCancelsAgainOrRecovers) {
  for (const char* settle : {R"(cancel T {"request_id":"00000000000000000000000000000002"})",
                             R"(force_release T {"reason":"stuck"})"}) {
    RulesStore store;
    ASSERT_EQ(Play(store, kInside), "ok");
    ASSERT_EQ(Play(store, R"(cancel T {"request_id":"00000000000000000000000000000001"})"),
              "ok:deferred");
    ASSERT_EQ(Play(store, kDead), "ok:dead");
    EXPECT_EQ(store.StateOf("T"), "running") << "a report is evidence, and decides nothing";
    EXPECT_EQ(store.StaleOf("T"), "owner_dead cancel_pending");
    EXPECT_EQ(Play(store, R"(cancel T {"request_id":"00000000000000000000000000000001"})"),
              "ok:replayed");
    EXPECT_EQ(store.StateOf("T"), "running");
    EXPECT_EQ(Play(store, settle), "ok");
    EXPECT_EQ(store.StateOf("T"), "cancelled");
    if (std::string_view(settle).starts_with("cancel")) {
      EXPECT_EQ(NewestEvents(store, "T", 3), "owner_reported section_left terminal")
          << "it was asked for before";
    }
  }
}

TEST(Section, IsLeftOnceAndLeavingItAgainChangesNothing) {
  RulesStore store;
  constexpr const char* kLeave = R"(leave_section T {"token":$TOKEN,"outcome":"done"})";
  ASSERT_EQ(Play(store, kInside), "ok");
  EXPECT_EQ(Play(store, kLeave), "ok");
  const std::uint64_t last = store.LastSequence();
  EXPECT_EQ(Play(store, kLeave), "ok:unchanged");
  EXPECT_EQ(store.LastSequence(), last);
  EXPECT_EQ(Play(store, R"(leave_section T {"token":$TOKEN,"outcome":"o","final":"completed"})"),
            "wrong_state")
      << "what ends nothing must not look as if it had";
  EXPECT_EQ(store.StateOf("T"), "running");
}

TEST(Section, FinalLetsTheFinishedStepWinOverAPendingCancel) {
  for (const char* final : {"completed", "failed"}) {
    RulesStore store;
    ASSERT_EQ(Play(store, kInside), "ok");
    ASSERT_EQ(Play(store, "cancel T"), "ok:deferred");
    EXPECT_EQ(Play(store, "cancel T"), "ok:unchanged");
    EXPECT_EQ(store.Run("leave_section", "T",
                        R"({"token":$TOKEN,"outcome":"o","final":")" + std::string(final) + "\"}"),
              "ok");
    EXPECT_EQ(store.StateOf("T"), final);
    EXPECT_FALSE(store.Saga("T").cancel_pending);
  }
}

TEST(Section, MayBeLeftAfterTheLeaseIsOver) {
  RulesStore store;
  ASSERT_EQ(Play(store, kInside), "ok");
  store.Advance("61s");
  EXPECT_EQ(Play(store, R"(leave_section T {"token":$TOKEN,"outcome":"done"})"), "ok");
  EXPECT_EQ(store.StaleOf("T"), "lease_expired");
  EXPECT_EQ(Play(store, R"(acquire T {"owner":"x"})"), "ok");
}

TEST(ForceRelease, BreaksALeaseAndASectionAndAppliesAPendingCancel) {
  RulesStore store;
  ASSERT_EQ(Play(store, kInside), "ok");
  EXPECT_EQ(Play(store, R"(force_release T {"reason":"stuck"})"), "ok");
  EXPECT_EQ(store.StateOf("T"), "planned");
  EXPECT_EQ(store.Saga("T").section, nullptr);
  EXPECT_EQ(Play(store, R"(heartbeat T {"token":$TOKEN})"), "stale_token");
  ASSERT_EQ(Play(store, R"(acquire T {"owner":"x"}
                           enter_section T {"token":$TOKEN,"name":"push"}
                           cancel T)"),
            "ok:deferred");
  EXPECT_EQ(Play(store, R"(force_release T {"reason":"stuck"})"), "ok");
  EXPECT_EQ(store.StateOf("T"), "cancelled");
  EXPECT_EQ(store.StaleOf("T"), "compensation_owed");
}

TEST(Cancel, OfACancelledSagaIsUnchangedAndOfAnotherEndRefused) {
  RulesStore store;
  ASSERT_EQ(Play(store, "plan T\n cancel T"), "ok");
  const std::uint64_t last = store.LastSequence();
  // Also when the saga has left memory.
  for (int checkpoint = 0; checkpoint < 3; ++checkpoint) {
    EXPECT_EQ(Play(store, "cancel T"), "ok:unchanged") << checkpoint;
    EXPECT_EQ(store.answer().saga->saga_id, "T");
    EXPECT_EQ(Play(store, R"(cancel T {"expected_version":1})"), "version_conflict");
    ASSERT_TRUE(store.store().Checkpoint().ok());
  }
  EXPECT_EQ(store.LastSequence(), last);
  EXPECT_EQ(Play(store, "plan U\n quarantine U"), "ok");
  EXPECT_EQ(Play(store, "cancel U"), "terminal");
}

TEST(Cascade, ReachesChildrenAndTheirsByTheSameRules) {
  RulesStore store;
  ASSERT_EQ(Play(store, R"(plan P
                           plan C {"parent":"P"}
                           plan G {"parent":"C"}
                           plan other
                           acquire G {"owner":"w"}
                           enter_section G {"token":$TOKEN,"name":"push"}
                           cancel P {"cascade":true})"),
            "ok");
  EXPECT_EQ(store.StateOf("P"), "cancelled");
  EXPECT_EQ(store.StateOf("C"), "cancelled");
  EXPECT_EQ(store.StateOf("G"), "running");
  EXPECT_TRUE(store.Saga("G").cancel_pending) << "its section is open: deferred";
  EXPECT_EQ(store.StateOf("other"), "planned");
  EXPECT_EQ(Play(store, R"(cancel P {"cascade":true})"), "ok:unchanged");
  EXPECT_EQ(Play(store, R"(leave_section G {"token":$TOKEN,"outcome":"o"})"), "ok");
  EXPECT_EQ(store.StateOf("G"), "cancelled");
}

// Everything that has ended and is settled leaves memory.
void LeaveMemory(RulesStore& store) {
  for (int checkpoint = 0; checkpoint < 3; ++checkpoint) {
    ASSERT_TRUE(store.store().Checkpoint().ok());
    store.Run("configure_queue", "", fmt::format(R"({{"queue":"q","limit":{}}})", checkpoint + 1));
  }
}

// P is alive, C and G have ended and left memory, L and M below them are alive.
void PlanFamily(RulesStore& store) {
  ASSERT_EQ(Play(store, R"(plan P
                           plan C {"parent":"P"}
                           plan G {"parent":"C"}
                           plan L {"parent":"G"}
                           plan M {"parent":"C"}
                           plan other
                           acquire C {"owner":"w"}
                           acquire G {"owner":"w"})"),
            "ok");
  ASSERT_EQ(store.Run("complete", "C", R"({"token":$TOKEN})"), "ok");
  ASSERT_EQ(store.Run("complete", "G", R"({"token":$TOKEN})"), "ok");
}

TEST(Cascade, ReachesTheLiveBelowThoseThatHaveEndedAndLeftMemory) {
  for (const bool ended : {false, true}) {
    SCOPED_TRACE(ended ? "of a cancelled saga" : "of a live saga");
    RulesStore store;
    PlanFamily(store);
    if (ended) {
      ASSERT_EQ(Play(store, "cancel P"), "ok");
    }
    LeaveMemory(store);
    EXPECT_EQ(Play(store, R"(cancel P {"cascade":true})"), "ok");
    for (const char* saga : {"P", "L", "M"}) {
      EXPECT_EQ(store.StateOf(saga), "cancelled") << saga;
    }
    EXPECT_EQ(store.StateOf("C"), "completed");
    EXPECT_EQ(store.StateOf("other"), "planned");
    EXPECT_EQ(Play(store, R"(cancel P {"cascade":true})"), "ok:unchanged");
  }
}

TEST(Cascade, ThatWaitsForASectionLeavesNoChildBehind) {
  RulesStore store;
  ASSERT_EQ(Play(store, kInside), "ok");
  ASSERT_EQ(Play(store, R"(plan A {"parent":"T"}
                           advance 1s
                           cancel T)"),
            "ok:deferred");
  const std::int64_t since = store.Saga("T").stale.at(0)->since;
  EXPECT_EQ(Play(store, R"(plan B {"parent":"T"})"), "ok") << "only who is told to stop stops";
  store.Advance("1s");
  EXPECT_EQ(Play(store, R"(cancel T {"cascade":true})"), "ok:deferred");
  EXPECT_EQ(store.StateOf("A"), "cancelled");
  EXPECT_EQ(store.StateOf("B"), "cancelled");
  EXPECT_EQ(Play(store, R"(plan C {"parent":"T"})"), "cancel_pending");
  EXPECT_EQ(FactsOf(store.refusal()),
            "saga=T state=running version=5 holder=w since=1s expires=1m subject=T sequence=8");
  EXPECT_EQ(store.Saga("T").stale.at(0)->since, since) << "it waits since the first cancel";
  EXPECT_EQ(Play(store, "cancel T"), "ok:unchanged");
  EXPECT_EQ(Play(store, R"(cancel T {"cascade":true})"), "ok:unchanged");
  store.Crash();
  EXPECT_EQ(Play(store, R"(plan C {"parent":"T"})"), "cancel_pending");
}

TEST(Cascade, OfABatchReachesThemToo) {
  for (const bool atomic : {false, true}) {
    RulesStore store;
    PlanFamily(store);
    LeaveMemory(store);
    commands::CancelT cancel;
    cancel.cascade = true;
    std::vector<commands::CommandT> batch(1);
    batch[0].saga_id = "P";
    batch[0].body.Set(std::move(cancel));
    EXPECT_FALSE(store.store().ExecuteBatch(std::move(batch), atomic, false).refusal.has_value());
    for (const char* saga : {"P", "L", "M"}) {
      EXPECT_EQ(store.StateOf(saga), "cancelled") << saga;
    }
  }
}

TEST(Cascade, LaterThanTheCancelStillReachesTheChildren) {
  RulesStore store;
  ASSERT_EQ(Play(store, R"(plan P
                           plan C {"parent":"P"}
                           cancel P)"),
            "ok");
  EXPECT_EQ(store.StateOf("C"), "planned");
  EXPECT_EQ(Play(store, R"(cancel P {"cascade":true})"), "ok");
  EXPECT_EQ(store.StateOf("C"), "cancelled");
  EXPECT_EQ(store.Saga("P").version, 3U) << "a terminal saga takes no second cancel";
}

}  // namespace
}  // namespace sagalog
