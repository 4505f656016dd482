// Leases: the boundary instant, zombies, incarnations, takeovers, grace.
#include <gtest/gtest.h>

#include "tests/reactor/rules_store.h"

namespace sagalog {
namespace {

constexpr const char* kMine = R"({"token":$TOKEN})";

std::string WithToken(std::uint64_t token, std::string_view more = "") {
  return R"({"token":)" + std::to_string(token) + std::string(more) + "}";
}

TEST(Lease, IsOverAtTheVeryInstantOfItsExpiry) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T"), "ok");
  ASSERT_EQ(store.Run("acquire", "T", R"({"owner":"w","ttl":"30s"})"), "ok");
  store.Advance("29.999999s");
  EXPECT_EQ(store.StaleOf("T"), "");
  EXPECT_EQ(store.Run("acquire", "T", R"({"owner":"w2"})"), "lease_held");
  EXPECT_EQ(store.Run("annotate", "T", R"({"text":"alive"})"), "ok");
  store.Advance("1us");
  EXPECT_EQ(store.StaleOf("T"), "lease_expired");
  EXPECT_EQ(store.Run("heartbeat", "T", kMine), "lease_expired");
  EXPECT_EQ(store.Run("complete", "T", kMine), "lease_expired");
  EXPECT_EQ(store.Run("acquire", "T", R"({"owner":"w2"})"), "ok");
}

TEST(Lease, OfAZombieIsRefusedWhateverItTries) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T"), "ok");
  ASSERT_EQ(store.Run("acquire", "T", R"({"owner":"w1","ttl":"10s"})"), "ok");
  const std::uint64_t zombie = store.TokenOf("T");
  store.Advance("11s");
  ASSERT_EQ(store.Run("acquire", "T", R"({"owner":"w2","ttl":"60s"})"), "ok");
  const std::string before = store.Sheet("T");
  EXPECT_EQ(store.Run("heartbeat", "T", WithToken(zombie)), "stale_token");
  EXPECT_EQ(store.Run("complete", "T", WithToken(zombie)), "stale_token");
  EXPECT_EQ(store.Run("fail", "T", WithToken(zombie, R"(,"no_compensation_reason":"r")")),
            "stale_token");
  EXPECT_EQ(store.Run("advance_stage", "T", WithToken(zombie, R"(,"expected":"","next":"late")")),
            "stale_token");
  EXPECT_EQ(store.Run("record_exit", "T", WithToken(zombie, R"(,"exit_code":0)")), "stale_token");
  EXPECT_EQ(store.Run("release", "T", WithToken(zombie)), "stale_token");
  EXPECT_EQ(store.Sheet("T"), before);
  EXPECT_EQ(store.Saga("T").recoveries, 1U);
}

TEST(Lease, OfTheSameNameButAnotherIncarnationIsAnotherOwners) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T"), "ok");
  ASSERT_EQ(store.Run("acquire", "T",
                      R"({"owner":{"owner":"w","host":"h","boot_id":"b","pid":7,"pid_start":1}})"),
            "ok");
  constexpr const char* kOther =
      R"({"token":$TOKEN,"owner":{"owner":"w","host":"h","boot_id":"b","pid":8,"pid_start":1}})";
  EXPECT_EQ(store.Run("heartbeat", "T", kOther), "not_owner");
  EXPECT_EQ(store.Run("complete", "T", kOther), "not_owner");
  EXPECT_EQ(store.refusal().holder->pid, 7U);
  store.Advance("61s");
  EXPECT_EQ(store.Run("acquire", "T",
                      R"({"owner":{"owner":"w","host":"h","boot_id":"b","pid":8,"pid_start":1}})"),
            "ok");
  EXPECT_EQ(store.Saga("T").recoveries, 1U) << "another incarnation takes over";
}

TEST(Heartbeat, NeverMovesTheExpiryBackwards) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T"), "ok");
  ASSERT_EQ(store.Run("acquire", "T", R"({"owner":"w","ttl":"60s"})"), "ok");
  const std::int64_t expiry = store.Saga("T").expires_at;
  EXPECT_EQ(store.Run("heartbeat", "T", R"({"token":$TOKEN,"ttl":"30s"})"), "ok:unchanged");
  EXPECT_EQ(store.Saga("T").expires_at, expiry);
  store.Advance("40s");
  EXPECT_EQ(store.Run("heartbeat", "T", kMine), "ok");
  EXPECT_EQ(store.Saga("T").expires_at, expiry + 40'000'000);
  EXPECT_EQ(store.Run("heartbeat", "T", kMine), "ok:unchanged");
}

TEST(Dispatch, IsALeaseOfItsOwnThatExpires) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T"), "ok");
  ASSERT_EQ(store.Run("dispatch", "T", R"({"owner":"d","ttl":"10s"})"), "ok");
  const std::uint64_t dispatch = store.TokenOf("T");
  store.Advance("10s");
  EXPECT_EQ(store.StaleOf("T"), "dispatch_expired");
  EXPECT_EQ(store.Run("dispatch", "T", R"({"owner":"d2"})"), "lease_held");
  EXPECT_EQ(store.Run("acquire", "T", R"({"owner":"anybody"})"), "ok");
  EXPECT_EQ(store.Run("heartbeat", "T", WithToken(dispatch)), "stale_token");
  EXPECT_EQ(store.Saga("T").recoveries, 0U);
}

TEST(Dispatch, ThatFailsTooOftenIsExhaustedUntilAWorkerStarts) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T"), "ok");
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(store.Run("dispatch", "T", R"({"owner":"d"})"), "ok");
    ASSERT_EQ(store.Run("abort_dispatch", "T", R"({"dispatch_token":$TOKEN,"reason":"tmux"})"),
              "ok");
  }
  EXPECT_EQ(store.StaleOf("T"), "dispatch_exhausted");
  EXPECT_EQ(store.Run("dispatch", "T", R"({"owner":"d"})"), "limit_reached");
  EXPECT_EQ(store.refusal().limit, 3);
  EXPECT_EQ(store.Run("acquire", "T", R"({"owner":"w"})"), "ok");
  EXPECT_EQ(store.Saga("T").dispatch_failures, 0U);
}

TEST(Dispatch, ThatIsAbortedForGoodFails) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T"), "ok");
  ASSERT_EQ(store.Run("dispatch", "T", R"({"owner":"d"})"), "ok");
  EXPECT_EQ(store.Run("abort_dispatch", "T", R"({"dispatch_token":$TOKEN,"then":"fail"})"),
            "compensation_missing");
  EXPECT_EQ(store.Run("abort_dispatch", "T",
                      R"({"dispatch_token":$TOKEN,"then":"fail","reason":"no worktree",
                          "no_compensation_reason":"nothing was made"})"),
            "ok");
  EXPECT_EQ(store.StateOf("T"), "failed");
  EXPECT_EQ(store.Saga("T").reason, "no worktree");
}

TEST(Grace, AfterTheStoreWasAwayIsForTheSameIncarnationOnly) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T"), "ok");
  ASSERT_EQ(store.Run("acquire", "T", R"({"owner":"w","ttl":"10s"})"), "ok");
  store.Crash("60s");
  EXPECT_EQ(store.StaleOf("T"), "in_grace");
  EXPECT_EQ(store.Run("recover", "T", R"({"observed":$VERSION,"decision":"requeue"})"), "in_grace");
  EXPECT_EQ(store.Run("acquire", "T", R"({"owner":"other"})"), "in_grace");
  store.Advance("29.999999s");
  EXPECT_EQ(store.StaleOf("T"), "in_grace");
  store.Advance("1us");
  EXPECT_EQ(store.StaleOf("T"), "lease_expired");
  EXPECT_EQ(store.Run("acquire", "T", R"({"owner":"w"})"), "ok");
  EXPECT_EQ(store.Saga("T").recoveries, 0U);
}

TEST(Grace, IsGivenOnceBetweenTwoHeartbeats) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T"), "ok");
  ASSERT_EQ(store.Run("acquire", "T", R"({"owner":"w","ttl":"10s"})"), "ok");
  store.Crash("60s");
  store.Advance("20s");
  store.Crash("1s");
  EXPECT_EQ(store.StaleOf("T"), "in_grace");
  store.Advance("9s");
  EXPECT_EQ(store.StaleOf("T"), "lease_expired") << "the second return gives no new grace";
}

TEST(Grace, ReachesALeaseThatEndsSoonAfterTheReturn) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T"), "ok");
  ASSERT_EQ(store.Run("acquire", "T", R"({"owner":"w","ttl":"10s"})"), "ok");
  store.Crash();
  EXPECT_EQ(store.StaleOf("T"), "");
  store.Advance("10s");
  EXPECT_EQ(store.StaleOf("T"), "in_grace");
  store.Advance("20s");
  EXPECT_EQ(store.StaleOf("T"), "lease_expired");
}

TEST(Grace, IsNotForALeaseGrantedAfterTheReturn) {
  RulesStore store;
  store.Crash("1s");
  ASSERT_EQ(store.Run("plan", "T"), "ok");
  ASSERT_EQ(store.Run("acquire", "T", R"({"owner":"w","ttl":"10s"})"), "ok");
  store.Advance("10s");
  EXPECT_EQ(store.StaleOf("T"), "lease_expired");
}

TEST(Grace, IsGivenAfterTheHostWasAsleep) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T"), "ok");
  ASSERT_EQ(store.Run("acquire", "T", R"({"owner":"w","ttl":"10s"})"), "ok");
  store.clock().Suspend(std::chrono::hours(2));
  EXPECT_EQ(store.StaleOf("T"), "in_grace");
  EXPECT_EQ(store.Run("acquire", "T", R"({"owner":"w"})"), "ok");
}

TEST(Clock, StepsOfTheWallClockMoveNoLease) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T"), "ok");
  ASSERT_EQ(store.Run("acquire", "T", R"({"owner":"w","ttl":"60s"})"), "ok");
  store.clock().StepWall(std::chrono::hours(24));
  EXPECT_EQ(store.StaleOf("T"), "");
  store.clock().StepWall(-std::chrono::hours(48));
  EXPECT_EQ(store.Run("heartbeat", "T", kMine), "ok:unchanged");
  store.Advance("60s");
  EXPECT_EQ(store.StaleOf("T"), "lease_expired");
}

// Without a token an actor may do both, where nobody's lease lives.
TEST(Lease, ThatIsOverProvesNothingWhereATokenNeedNotBeGiven) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T"), "ok");
  ASSERT_EQ(store.Run("acquire", "T", R"({"owner":"w"})"), "ok");
  store.Advance("1h");
  EXPECT_EQ(store.Run("advance_stage", "T", R"({"token":$TOKEN,"expected":"","next":"late"})"),
            "lease_expired");
  EXPECT_EQ(store.Run("register_compensation", "T",
                      R"({"token":$TOKEN,"id":"c","kind":"undo","target":"t"})"),
            "lease_expired");
}

}  // namespace
}  // namespace sagalog
