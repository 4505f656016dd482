// Reports on owners: what proves a holder dead, and what that changes.
#include <gtest/gtest.h>

#include "tests/reactor/rules_script.h"

namespace sagalog {
namespace {

// Holds T for an hour.
constexpr const char* kHolder =
    R"("host":"h","boot_id":"b","pid_namespace":"n","pid":7,"pid_start":5)";
const std::string kOwner = R"("owner":{"owner":"w",)" + std::string(kHolder) + "}";
const std::string kHeld =
    R"(plan T {"compensations":[{"id":"c","kind":"undo","target":"t"}]}
       acquire T {"ttl":"1h",)" +
    kOwner + "}";

struct Report {
  const char* identity;
  const char* of_alive;
  const char* of_dead;
};

// The holder is w on host h, boot b, namespace n, pid 7 started at 5.
constexpr Report kReports[] = {
    {R"("host":"h","boot_id":"b","pid_namespace":"n","pid":7,"pid_start":5)", "ok:alive",
     "ok:dead"},
    {R"("owner":"other name","host":"h","boot_id":"b","pid_namespace":"n","pid":7,"pid_start":5)",
     "ok:alive", "ok:dead"},
    // The process with that pid is another one: the holder is gone.
    {R"("host":"h","boot_id":"b","pid_namespace":"n","pid":7,"pid_start":9)", "ok:dead", "ok:dead"},
    // The host was started again: whatever the pid says.
    {R"("host":"h","boot_id":"b2","pid_namespace":"n","pid":7,"pid_start":5)", "ok:dead",
     "ok:dead"},
    {R"("host":"h","boot_id":"b2")", "ok:dead", "ok:dead"},
    // A probe that does not know the start can see no other process behind the pid.
    {R"("host":"h","boot_id":"b","pid_namespace":"n","pid":7)", "ok:alive", "ok:dead"},
    // Not about the holder.
    {R"("host":"h","boot_id":"b","pid_namespace":"n","pid":8,"pid_start":5)", "ok:unknown",
     "ok:unknown"},
    {R"("host":"h","boot_id":"b","pid_namespace":"n2","pid":7,"pid_start":5)", "ok:unknown",
     "ok:unknown"},
    {R"("host":"h2","boot_id":"b","pid_namespace":"n","pid":7,"pid_start":5)", "ok:unknown",
     "ok:unknown"},
    {R"("boot_id":"b","pid_namespace":"n","pid":7,"pid_start":5)", "ok:unknown", "ok:unknown"},
    {R"("host":"h","pid_namespace":"n","pid":7,"pid_start":5)", "ok:unknown", "ok:unknown"},
    {R"("owner":"w")", "ok:unknown", "ok:unknown"},
};

std::string Say(RulesStore& store, std::string_view identity, std::string_view verdict) {
  return store.Run("report_owner", "T",
                   R"({"identity":{)" + std::string(identity) + R"(},"verdict":")" +
                       std::string(verdict) + "\"}");
}

// What the holder did not tell of itself proves nothing, whatever is reported.
TEST(OwnerReport, IsNotJudgedByWhatTheHolderNeverSaid) {
  RulesStore store;
  ASSERT_EQ(Play(store, R"(plan T
                           acquire T {"ttl":"1h","owner":{"owner":"w","host":"h","pid":7}})"),
            "ok");
  EXPECT_EQ(Say(store, R"("host":"h","boot_id":"b2","pid":7)", "dead"), "ok:unknown");
  EXPECT_EQ(Say(store, R"("host":"h","pid":7,"pid_start":9)", "alive"), "ok:alive");
  EXPECT_EQ(store.StaleOf("T"), "");
}

TEST(OwnerReport, IsJudgedByTheIdentityAndNotByWhatItSaysAlone) {
  for (const Report& report : kReports) {
    SCOPED_TRACE(report.identity);
    RulesStore alive;
    ASSERT_EQ(Play(alive, kHeld), "ok");
    EXPECT_EQ(Say(alive, report.identity, "alive"), report.of_alive);
    RulesStore dead;
    ASSERT_EQ(Play(dead, kHeld), "ok");
    EXPECT_EQ(Say(dead, report.identity, "dead"), report.of_dead);
    EXPECT_EQ(dead.StaleOf("T"), std::string_view(report.of_dead) == "ok:dead" ? "owner_dead" : "");
  }
}

TEST(OwnerReport, KnowsNoHolderOfAPlannedSaga) {
  RulesStore store;
  ASSERT_EQ(Play(store, kHeld), "ok");
  ASSERT_EQ(Play(store, R"(release T {"token":$TOKEN})"), "ok");
  EXPECT_EQ(Say(store, kHolder, "dead"), "ok:unknown");
}

TEST(OwnerReport, IsAboutTheLastOwnerAfterTheEnd) {
  RulesStore store;
  ASSERT_EQ(Play(store, kHeld), "ok");
  ASSERT_EQ(Play(store, "cancel T"), "ok");
  EXPECT_EQ(Play(store, R"(claim_compensation T {"id":"c","executor":"j"})"), "busy");
  EXPECT_EQ(Say(store, kHolder, "alive"), "ok:alive");
  EXPECT_EQ(Say(store, kHolder, "dead"), "ok:dead");
  EXPECT_EQ(Play(store, R"(claim_compensation T {"id":"c","executor":"j"})"), "ok");
}

TEST(OwnerReport, ThatItIsDeadIsForGood) {
  RulesStore store;
  ASSERT_EQ(Play(store, kHeld), "ok");
  ASSERT_EQ(Say(store, kHolder, "dead"), "ok:dead");
  const std::uint64_t last = store.LastSequence();
  EXPECT_EQ(Say(store, kHolder, "alive"), "ok:dead");
  EXPECT_EQ(store.LastSequence(), last) << "nothing new is known";
  // Also when it has lost the saga since, and when nobody could report on it in between.
  ASSERT_EQ(Play(store, R"(recover T {"observed":$VERSION,"decision":"requeue"}
                           cancel T)"),
            "ok");
  EXPECT_EQ(Play(store, R"(claim_compensation T {"id":"c","executor":"j"})"), "ok")
      << "its lease would live, but it was proven dead";
  EXPECT_EQ(Say(store, kHolder, "alive"), "ok:dead");
}

TEST(OwnerReport, ADeadOwnerOfADispatchIsDeadAgain) {
  RulesStore store;
  ASSERT_EQ(Play(store, kHeld), "ok");
  ASSERT_EQ(Say(store, kHolder, "dead"), "ok:dead");
  ASSERT_EQ(Play(store, R"(recover T {"observed":$VERSION,"decision":"requeue"})"), "ok");
  ASSERT_EQ(store.Run("dispatch", "T", "{" + kOwner + "}"), "ok");
  EXPECT_EQ(store.StaleOf("T"), "");
  EXPECT_EQ(Say(store, kHolder, "alive"), "ok:dead");
  EXPECT_EQ(store.StaleOf("T"), "owner_dead");
}

TEST(LastOwner, ThatExitedBeforeItLostTheSagaHoldsUpNoCompensation) {
  RulesStore store;
  ASSERT_EQ(Play(store, kHeld), "ok");
  ASSERT_EQ(Play(store, R"(record_exit T {"token":$TOKEN,"exit_code":1}
                           force_release T {"reason":"it is gone"}
                           cancel T)"),
            "ok");
  EXPECT_EQ(Play(store, R"(claim_compensation T {"id":"c","executor":"j"})"), "ok");
}

TEST(LastOwner, ThatWasOnlyRobbedOfTheSagaMayStillWork) {
  RulesStore store;
  ASSERT_EQ(Play(store, kHeld), "ok");
  ASSERT_EQ(Play(store, R"(force_release T {"reason":"r"}
                           cancel T)"),
            "ok");
  EXPECT_EQ(Play(store, R"(claim_compensation T {"id":"c","executor":"j"})"), "busy");
  store.Advance("1h");
  EXPECT_EQ(Play(store, R"(claim_compensation T {"id":"c","executor":"j"})"), "ok")
      << "its lease is outlived";
}

TEST(Claim, PassesOverWhatItsIncarnationWasProvenDeadOn) {
  RulesStore store;
  ASSERT_EQ(Play(store, kHeld), "ok");
  ASSERT_EQ(Say(store, kHolder, "dead"), "ok:dead");
  ASSERT_EQ(Play(store, R"(recover T {"observed":$VERSION,"decision":"requeue"}
                           plan U)"),
            "ok");
  const std::string claim = R"({"queue":"default",)" + kOwner + "}";
  EXPECT_EQ(store.Run("claim_next", "", claim), "ok");
  EXPECT_EQ(store.answer().saga->saga_id, "U");
  EXPECT_EQ(store.Run("claim_next", "", claim), "empty");
  EXPECT_EQ(store.Run("claim_next", "", R"({"queue":"default","owner":"x"})"), "ok");
  EXPECT_EQ(store.answer().saga->saga_id, "T");
}

TEST(AbortDispatch, IsToldThatItsWorkerOwnsTheSagaStillAfterItAcquiredAgain) {
  RulesStore store;
  ASSERT_EQ(Play(store, R"(plan T
                           dispatch T {"owner":"d"}
                           acquire T {"owner":"w","ttl":"10s","dispatch_token":$TOKEN}
                           advance 10s
                           acquire T {"owner":"w","ttl":"10s"})"),
            "ok");
  EXPECT_EQ(Play(store, R"(abort_dispatch T {"dispatch_token":3})"), "lease_held");
  store.Advance("10s");
  ASSERT_EQ(Play(store, R"(acquire T {"owner":"x"})"), "ok");
  EXPECT_EQ(Play(store, R"(abort_dispatch T {"dispatch_token":3})"), "stale_token")
      << "x is not its worker";
}

}  // namespace
}  // namespace sagalog
