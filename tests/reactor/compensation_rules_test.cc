// Compensations: owed, claimed in order, settled by the newest claim, never lost.
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "schema/limits.h"
#include "tests/reactor/rules_store.h"

namespace sagalog {
namespace {

constexpr const char* kMine = R"({"token":$TOKEN})";

void PlanWithTwo(RulesStore& store, std::string_view policy = "{}") {
  ASSERT_EQ(store.Run("plan", "T",
                      R"({"compensations":[{"id":"a","kind":"undo","target":"ta"},
                          {"id":"b","kind":"undo","target":"tb","when":"always"}],"policy":)" +
                          std::string(policy) + "}"),
            "ok");
  ASSERT_EQ(store.Run("acquire", "T", R"({"owner":"w"})"), "ok");
}

std::string Claim(RulesStore& store, std::string_view id) {
  return store.Run("claim_compensation", "T",
                   R"({"executor":"j","id":")" + std::string(id) + "\"}");
}

std::string Settle(RulesStore& store, std::string_view id, std::string_view outcome) {
  return store.Run("settle_compensation", "T",
                   R"({"token":$TOKEN,"id":")" + std::string(id) + R"(","outcome":")" +
                       std::string(outcome) + "\"}");
}

TEST(Compensation, AFailureWithoutAnyNeedsAReason) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T"), "ok");
  ASSERT_EQ(store.Run("acquire", "T", R"({"owner":"w"})"), "ok");
  EXPECT_EQ(store.Run("fail", "T", kMine), "compensation_missing");
  EXPECT_EQ(store.Run("compensate", "T", kMine), "compensation_missing");
  EXPECT_EQ(store.Run("fail", "T", R"({"token":$TOKEN,"no_compensation_reason":"read only"})"),
            "ok");
  EXPECT_EQ(store.Saga("T").compensation_status, schema::CompensationStatus::none);
}

TEST(Compensation, IsUndoneInReverseOrderOfRegistration) {
  RulesStore store;
  PlanWithTwo(store);
  ASSERT_EQ(store.Run("fail", "T", kMine), "ok");
  EXPECT_EQ(store.StaleOf("T"), "compensation_owed");
  EXPECT_EQ(Claim(store, "a"), "compensation_order");
  EXPECT_EQ(store.refusal().subject, "b");
  ASSERT_EQ(Claim(store, "b"), "ok");
  EXPECT_EQ(Claim(store, "b"), "busy");
  ASSERT_EQ(Settle(store, "b", "done"), "ok");
  const std::uint64_t settled = store.LastSequence();
  EXPECT_EQ(Settle(store, "b", "done"), "ok:unchanged");
  EXPECT_EQ(Claim(store, "b"), "compensation_settled");
  EXPECT_EQ(store.refusal().actual_sequence, settled);
  ASSERT_EQ(Claim(store, "a"), "ok");
  ASSERT_EQ(Settle(store, "a", "done"), "ok");
  EXPECT_EQ(store.StaleOf("T"), "");
  EXPECT_EQ(store.StateOf("T"), "failed");
  EXPECT_EQ(store.Saga("T").compensation_status, schema::CompensationStatus::settled);
}

TEST(Compensation, IsUndoneInOrderOfRegistrationWhereThePolicySaysSo) {
  RulesStore store;
  PlanWithTwo(store, R"({"compensation_order":"registered"})");
  ASSERT_EQ(store.Run("fail", "T", kMine), "ok");
  EXPECT_EQ(Claim(store, "b"), "compensation_order");
  ASSERT_EQ(Claim(store, "a"), "ok");
  ASSERT_EQ(Settle(store, "a", "done"), "ok");
  EXPECT_EQ(Claim(store, "b"), "ok");
}

TEST(Compensation, ThatIsStillOwedIsNamedToWhoMarksTheSagaCompensated) {
  RulesStore store;
  PlanWithTwo(store, R"({"compensation_order":"registered"})");
  ASSERT_EQ(store.Run("compensate", "T", kMine), "ok");
  ASSERT_EQ(Claim(store, "a"), "ok");
  ASSERT_EQ(Settle(store, "a", "done"), "ok");
  EXPECT_EQ(store.Run("mark_compensated", "T"), "compensation_owed");
  EXPECT_EQ(store.refusal().subject, "b");
}

TEST(Compensation, OfWhichThereAreAsManyAsASagaTakesIsTheLast) {
  RulesStore store;
  std::string list;
  for (std::size_t i = 0; i + 1 < kCompensationsMax; ++i) {
    list +=
        fmt::format(R"({}{{"id":"c{}","kind":"undo","target":"t{}"}})", i == 0 ? "" : ",", i, i);
  }
  ASSERT_EQ(store.Run("plan", "T", R"({"compensations":[)" + list + "]}"), "ok");
  EXPECT_EQ(store.Run("register_compensation", "T", R"({"id":"x","kind":"undo","target":"tx"})"),
            "ok");
  EXPECT_EQ(store.Run("register_compensation", "T", R"({"id":"y","kind":"undo","target":"ty"})"),
            "limit_reached");
  EXPECT_EQ(store.Run("register_compensation", "T", R"({"id":"x","kind":"undo","target":"tx"})"),
            "ok:unchanged");
}

TEST(Compensation, OnlyWhatIsAlwaysOwedSurvivesACompletion) {
  RulesStore store;
  PlanWithTwo(store);
  ASSERT_EQ(store.Run("complete", "T", kMine), "ok");
  const auto saga = store.Saga("T");
  EXPECT_EQ(saga.compensations[0]->state, schema::CompensationState::dropped);
  EXPECT_EQ(saga.compensations[1]->state, schema::CompensationState::owed);
  EXPECT_EQ(store.StaleOf("T"), "compensation_owed");
  ASSERT_EQ(Claim(store, "b"), "ok");
  ASSERT_EQ(Settle(store, "b", "done"), "ok");
  EXPECT_EQ(store.StateOf("T"), "completed");
  EXPECT_EQ(store.StaleOf("T"), "");
}

TEST(Compensation, ThatFailedStaysInTheBacklogWithItsAttempts) {
  RulesStore store;
  PlanWithTwo(store);
  ASSERT_EQ(store.Run("fail", "T", kMine), "ok");
  ASSERT_EQ(Claim(store, "b"), "ok");
  ASSERT_EQ(Settle(store, "b", "failed"), "ok");
  EXPECT_EQ(store.StaleOf("T"), "compensation_failed");
  EXPECT_EQ(Claim(store, "a"), "compensation_order") << "what failed is still in the way";
  store.Crash();
  EXPECT_EQ(store.StaleOf("T"), "compensation_failed");
  ASSERT_EQ(Claim(store, "b"), "ok");
  EXPECT_EQ(store.StaleOf("T"), "compensation_owed");
  EXPECT_EQ(store.Saga("T").compensations[1]->attempts, 2U);
}

TEST(Compensation, IsSettledByTheNewestClaimOnlyOverOrNot) {
  RulesStore store;
  PlanWithTwo(store);
  ASSERT_EQ(store.Run("fail", "T", kMine), "ok");
  ASSERT_EQ(Claim(store, "b"), "ok");
  const std::string first = std::to_string(store.TokenOf("T"));
  store.Advance("60s");
  ASSERT_EQ(Claim(store, "b"), "ok") << "the claim was over";
  EXPECT_EQ(
      store.Run("settle_compensation", "T", R"({"id":"b","outcome":"done","token":)" + first + "}"),
      "stale_token");
  store.Advance("3600s");
  EXPECT_EQ(Settle(store, "b", "done"), "ok") << "the newest claim, though over";
}

TEST(Compensation, WaitsForTheOldOwnerToHaveStopped) {
  RulesStore store;
  PlanWithTwo(store);
  const std::string worker = std::to_string(store.TokenOf("T"));
  ASSERT_EQ(store.Run("cancel", "T"), "ok");
  EXPECT_EQ(Claim(store, "b"), "busy") << "the worker's lease lives";
  EXPECT_EQ(store.refusal().holder->owner, "w");
  ASSERT_EQ(store.Run("record_exit", "T", R"({"exit_code":143,"token":)" + worker + "}"), "ok");
  EXPECT_EQ(Claim(store, "b"), "ok");
}

TEST(Compensation, IsWaivedByAnOperatorWithAReason) {
  RulesStore store;
  PlanWithTwo(store);
  ASSERT_EQ(store.Run("fail", "T", kMine), "ok");
  EXPECT_EQ(store.Run("settle_compensation", "T", R"({"id":"b","outcome":"waived"})"),
            "invalid_argument");
  EXPECT_EQ(store.Run("settle_compensation", "T",
                      R"({"id":"b","outcome":"waived","actor":"op","detail":"gone by hand"})"),
            "ok");
  EXPECT_EQ(Claim(store, "a"), "ok");
}

TEST(Compensating, EndsWithTheSettlementThatLeavesNothingOwed) {
  RulesStore store;
  PlanWithTwo(store);
  ASSERT_EQ(store.Run("compensate", "T", kMine), "ok");
  EXPECT_EQ(store.Run("mark_compensated", "T"), "compensation_owed");
  for (const char* id : {"b", "a"}) {
    EXPECT_EQ(store.StateOf("T"), "compensating");
    ASSERT_EQ(Claim(store, id), "ok");
    ASSERT_EQ(Settle(store, id, "done"), "ok");
  }
  EXPECT_EQ(store.StateOf("T"), "compensated");
  EXPECT_EQ(store.Run("mark_compensated", "T"), "ok:unchanged");
}

TEST(Compensation, RegisteredAlikeAgainIsUnchangedAlsoAfterTheEnd) {
  RulesStore store;
  constexpr const char* kSame = R"({"id":"a","kind":"undo","target":"ta"})";
  PlanWithTwo(store);
  EXPECT_EQ(store.Run("register_compensation", "T", kSame), "ok:unchanged");
  ASSERT_EQ(store.Run("fail", "T", kMine), "ok");
  EXPECT_EQ(store.Run("register_compensation", "T", kSame), "ok:unchanged");
  EXPECT_EQ(store.Run("register_compensation", "T", R"({"id":"a","kind":"undo","target":"tb"})"),
            "terminal");
  EXPECT_EQ(store.Run("register_compensation", "T",
                      R"({"id":"a","kind":"undo","target":"ta","token":$TOKEN})"),
            "terminal")
      << "a token that is void is told so";
}

TEST(Compensation, OutcomesAlikeTwiceAreUnchanged) {
  RulesStore store;
  PlanWithTwo(store);
  ASSERT_EQ(store.Run("fail", "T", kMine), "ok");
  ASSERT_EQ(Claim(store, "b"), "ok");
  ASSERT_EQ(Settle(store, "b", "failed"), "ok");
  EXPECT_EQ(Settle(store, "b", "failed"), "ok:unchanged");
  EXPECT_EQ(Settle(store, "b", "done"), "ok") << "the newest claim may say that it worked at last";
  EXPECT_EQ(Settle(store, "b", "failed"), "compensation_settled");
  constexpr const char* kWaive =
      R"({"id":"a","outcome":"waived","actor":"op","detail":"gone by hand"})";
  EXPECT_EQ(store.Run("settle_compensation", "T", kWaive), "ok");
  EXPECT_EQ(store.Run("settle_compensation", "T", kWaive), "ok:unchanged");
}

TEST(Target, SharedByTwoThatCompensateIsUndoneByEither) {
  RulesStore store;
  for (const char* saga : {"A", "B"}) {
    ASSERT_EQ(store.Run("plan", saga,
                        R"({"compensations":[{"id":"c","kind":"u","target":"t","shared":true}]})"),
              "ok");
    ASSERT_EQ(store.Run("acquire", saga, R"({"owner":"w"})"), "ok");
  }
  ASSERT_EQ(store.Run("compensate", "A", kMine), "ok");
  EXPECT_EQ(store.Run("claim_compensation", "A", R"({"id":"c","executor":"j"})"), "busy")
      << "B works on it";
  ASSERT_EQ(store.Run("compensate", "B", kMine), "ok");
  EXPECT_EQ(store.Run("claim_compensation", "A", R"({"id":"c","executor":"j"})"), "ok");
  EXPECT_EQ(store.Run("claim_compensation", "B", R"({"id":"c","executor":"j"})"), "ok")
      << "they do not wait for each other";
  ASSERT_EQ(store.Run("plan", "C"), "ok");
  EXPECT_EQ(store.Run("register_compensation", "C", R"({"id":"c","kind":"u","target":"t"})"),
            "busy")
      << "what is being undone is nobody's to take";
}

TEST(Target, IsOwedByOneLiveSagaUnlessShared) {
  RulesStore store;
  constexpr const char* kWorktree = R"({"id":"wt","kind":"worktree","target":"/wt/1"})";
  constexpr const char* kShared = R"({"id":"wt","kind":"worktree","target":"/wt/1","shared":true})";
  ASSERT_EQ(store.Run("plan", "A"), "ok");
  ASSERT_EQ(store.Run("plan", "B"), "ok");
  ASSERT_EQ(store.Run("register_compensation", "A", kWorktree), "ok");
  EXPECT_EQ(store.Run("register_compensation", "A", kWorktree), "ok:unchanged");
  EXPECT_EQ(
      store.Run("register_compensation", "A", R"({"id":"wt","kind":"worktree","target":"/wt/2"})"),
      "already_exists");
  EXPECT_EQ(store.Run("register_compensation", "B", kWorktree), "busy");
  EXPECT_EQ(store.refusal().saga_id, "A");
  EXPECT_EQ(store.Run("register_compensation", "B", kShared), "ok");
  ASSERT_EQ(store.Run("cancel", "A"), "ok");
  EXPECT_EQ(store.Run("claim_compensation", "A", R"({"id":"wt","executor":"j"})"), "busy");
  ASSERT_EQ(store.Run("cancel", "B"), "ok");
  EXPECT_EQ(store.Run("claim_compensation", "A", R"({"id":"wt","executor":"j"})"), "ok");
}

TEST(Compensation, IsNotAddedToWhatHasEnded) {
  constexpr const char* kMore = R"({"actor":"o","id":"more","kind":"undo","target":"more"})";
  constexpr const char* kEnds[][2] = {{"complete", kMine},
                                      {"fail", kMine},
                                      {"cancel", "{}"},
                                      {"quarantine", "{}"},
                                      {"compensate", kMine}};
  for (const auto& [command, arguments] : kEnds) {
    SCOPED_TRACE(command);
    RulesStore store;
    PlanWithTwo(store);
    ASSERT_EQ(store.Run(command, "T", arguments), "ok");
    if (store.StateOf("T") == "compensating") {
      EXPECT_EQ(store.Run("register_compensation", "T", kMore), "ok");
      for (const char* id : {"more", "b", "a"}) {
        ASSERT_EQ(Claim(store, id), "ok");
        ASSERT_EQ(Settle(store, id, "done"), "ok");
      }
    }
    const std::string state = store.StateOf("T");
    EXPECT_EQ(store.Run("register_compensation", "T",
                        R"({"actor":"o","id":"late","kind":"undo","target":"late"})"),
              "terminal")
        << state;
  }
}

}  // namespace
}  // namespace sagalog
