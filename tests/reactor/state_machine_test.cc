// Every row of the command table in every state: allowed where the contract allows it, refused
// elsewhere with the exact code, and then nothing has changed.
#include <array>

#include <gtest/gtest.h>

#include "tests/reactor/rules_store.h"

namespace sagalog {
namespace {

constexpr std::array kStates = {"planned",      "dispatched",  "running",
                                "compensating", "completed",   "failed",
                                "compensated",  "quarantined", "cancelled"};

// Brings the saga T, with one compensation, into a state; its lease lives as far as there is one.
void Bring(RulesStore& store, std::string_view state) {
  ASSERT_EQ(store.Run("plan", "T",
                      R"({"key":"k","compensations":[{"id":"c","kind":"undo","target":"t"}]})"),
            "ok");
  if (state == "planned") {
    return;
  }
  ASSERT_EQ(store.Run("dispatch", "T", R"({"owner":"d","ttl":"60s"})"), "ok");
  if (state == "dispatched") {
    return;
  }
  ASSERT_EQ(store.Run("acquire", "T", R"({"owner":"w","ttl":"60s","dispatch_token":$TOKEN})"),
            "ok");
  if (state == "running") {
    return;
  }
  if (state == "compensating" || state == "compensated") {
    ASSERT_EQ(store.Run("compensate", "T", R"({"token":$TOKEN})"), "ok");
  } else if (state == "completed") {
    ASSERT_EQ(store.Run("complete", "T", R"({"token":$TOKEN})"), "ok");
  } else if (state == "failed") {
    ASSERT_EQ(store.Run("fail", "T", R"({"token":$TOKEN})"), "ok");
  } else {
    ASSERT_EQ(store.Run(state == "quarantined" ? "quarantine" : "cancel", "T"), "ok");
  }
  if (state == "compensated") {
    const std::uint64_t worker = store.TokenOf("T");
    ASSERT_EQ(store.Run("claim_compensation", "T", R"({"id":"c","executor":"j"})"), "ok");
    ASSERT_EQ(
        store.Run("settle_compensation", "T", R"({"id":"c","token":$TOKEN,"outcome":"done"})"),
        "ok");
    ASSERT_NE(worker, store.TokenOf("T"));
  }
}

struct Row {
  const char* name;
  const char* command;
  const char* arguments;
  std::array<const char*, kStates.size()> expected;
};

constexpr const char* kTerminal = "terminal";

constexpr Row kRows[] = {
    {"dispatch",
     "dispatch",
     R"({"owner":"d2"})",
     {"ok", "lease_held", "lease_held", "wrong_state", kTerminal, kTerminal, kTerminal, kTerminal,
      kTerminal}},
    {"acquire",
     "acquire",
     R"({"owner":"w2"})",
     {"ok", "lease_held", "lease_held", "wrong_state", kTerminal, kTerminal, kTerminal, kTerminal,
      kTerminal}},
    {"acquire_with_dispatch_token",
     "acquire",
     R"({"owner":"w2","dispatch_token":$TOKEN})",
     {"stale_token", "ok", "stale_token", "stale_token", kTerminal, kTerminal, kTerminal, kTerminal,
      kTerminal}},
    {"abort_dispatch",
     "abort_dispatch",
     R"({"dispatch_token":$TOKEN})",
     {"stale_token", "ok", "stale_token", "stale_token", kTerminal, kTerminal, kTerminal, kTerminal,
      kTerminal}},
    {"abort_dispatch_then_fail",
     "abort_dispatch",
     R"({"dispatch_token":$TOKEN,"then":"fail"})",
     {"stale_token", "ok", "stale_token", "stale_token", kTerminal, kTerminal, kTerminal, kTerminal,
      kTerminal}},
    {"heartbeat",
     "heartbeat",
     R"({"token":$TOKEN,"ttl":"90s"})",
     {"stale_token", "ok", "ok", "stale_token", kTerminal, kTerminal, kTerminal, kTerminal,
      kTerminal}},
    {"release",
     "release",
     R"({"token":$TOKEN})",
     {"stale_token", "wrong_state", "ok", "stale_token", kTerminal, kTerminal, kTerminal, kTerminal,
      kTerminal}},
    {"advance_stage_by_token",
     "advance_stage",
     R"({"token":$TOKEN,"expected":"","next":"s"})",
     {"stale_token", "ok", "ok", "stale_token", kTerminal, kTerminal, kTerminal, kTerminal,
      kTerminal}},
    {"advance_stage_by_actor",
     "advance_stage",
     R"({"actor":"a","expected":"","next":"s"})",
     {"ok", "lease_held", "lease_held", "ok", kTerminal, kTerminal, kTerminal, kTerminal,
      kTerminal}},
    {"enter_section",
     "enter_section",
     R"({"token":$TOKEN,"name":"s"})",
     {"stale_token", "wrong_state", "ok", "stale_token", kTerminal, kTerminal, kTerminal, kTerminal,
      kTerminal}},
    {"begin_effect",
     "begin_effect",
     R"({"token":$TOKEN,"effect":"e","fingerprint":"f"})",
     {"stale_token", "wrong_state", "ok", "stale_token", kTerminal, kTerminal, kTerminal, kTerminal,
      kTerminal}},
    {"complete",
     "complete",
     R"({"token":$TOKEN})",
     {"stale_token", "wrong_state", "ok", "stale_token", kTerminal, kTerminal, kTerminal, kTerminal,
      kTerminal}},
    {"fail",
     "fail",
     R"({"token":$TOKEN})",
     {"stale_token", "ok", "ok", "stale_token", kTerminal, kTerminal, kTerminal, kTerminal,
      kTerminal}},
    {"compensate",
     "compensate",
     R"({"token":$TOKEN})",
     {"stale_token", "wrong_state", "ok", "stale_token", kTerminal, kTerminal, kTerminal, kTerminal,
      kTerminal}},
    {"mark_compensated",
     "mark_compensated",
     "{}",
     {"wrong_state", "wrong_state", "wrong_state", "compensation_owed", kTerminal, kTerminal,
      "ok:unchanged", kTerminal, kTerminal}},
    {"quarantine",
     "quarantine",
     "{}",
     {"ok", "ok", "ok", "ok", kTerminal, kTerminal, kTerminal, kTerminal, kTerminal}},
    {"cancel",
     "cancel",
     "{}",
     {"ok", "ok", "ok", "ok", kTerminal, kTerminal, kTerminal, kTerminal, "ok:unchanged"}},
    {"park",
     "park",
     "{}",
     {"ok", "wrong_state", "wrong_state", "wrong_state", kTerminal, kTerminal, kTerminal, kTerminal,
      kTerminal}},
    {"unpark",
     "unpark",
     "{}",
     {"ok:unchanged", "wrong_state", "wrong_state", "wrong_state", kTerminal, kTerminal, kTerminal,
      kTerminal, kTerminal}},
    {"recover",
     "recover",
     R"({"observed":$VERSION,"decision":"requeue"})",
     {"not_stale", "not_stale", "not_stale", "not_stale", kTerminal, kTerminal, kTerminal,
      kTerminal, kTerminal}},
    {"register_compensation",
     "register_compensation",
     R"({"id":"d","kind":"undo","target":"t2"})",
     {"ok", "ok", "ok", "ok", kTerminal, kTerminal, kTerminal, kTerminal, kTerminal}},
    {"claim_compensation",
     "claim_compensation",
     R"({"id":"c","executor":"j"})",
     {"busy", "busy", "busy", "ok", "compensation_settled", "ok", "compensation_settled", "busy",
      "busy"}},
    {"waive_compensation",
     "settle_compensation",
     R"({"id":"c","outcome":"waived","actor":"o","detail":"d"})",
     {"wrong_state", "wrong_state", "wrong_state", "ok", "compensation_settled", "ok",
      "compensation_settled", "ok", "ok"}},
    {"settle_without_claim",
     "settle_compensation",
     R"({"id":"c","outcome":"done","token":4503599627370496})",
     {"stale_token", "stale_token", "stale_token", "stale_token", "stale_token", "stale_token",
      "stale_token", "stale_token", "stale_token"}},
    {"report_owner",
     "report_owner",
     R"({"identity":{"owner":"w"},"verdict":"alive"})",
     {"ok:unknown", "ok:unknown", "ok:unknown", "ok:unknown", "ok:unknown", "ok:unknown",
      "ok:unknown", "ok:unknown", "ok:unknown"}},
    {"annotate",
     "annotate",
     R"({"text":"n"})",
     {"ok", "ok", "ok", "ok", "ok", "ok", "ok", "ok", "ok"}},
    {"force_release",
     "force_release",
     R"({"reason":"r"})",
     {"wrong_state", "ok", "ok", "wrong_state", kTerminal, kTerminal, kTerminal, kTerminal,
      kTerminal}},
    {"plan_again",
     "plan",
     "{}",
     {"already_exists", "already_exists", "already_exists", "already_exists", "already_exists",
      "already_exists", "already_exists", "already_exists", "already_exists"}},
};

class StateMachineRow : public testing::TestWithParam<Row> {};

TEST_P(StateMachineRow, IsAllowedInTheStatesItNamesAndRefusedInAllOthers) {
  for (std::size_t i = 0; i < kStates.size(); ++i) {
    SCOPED_TRACE(kStates[i]);
    RulesStore store;
    Bring(store, kStates[i]);
    ASSERT_EQ(store.StateOf("T"), kStates[i]);
    const std::string before = store.Sheet("T");
    const std::uint64_t last = store.LastSequence();
    const std::string answer = store.Run(GetParam().command, "T", GetParam().arguments);
    EXPECT_EQ(answer, GetParam().expected[i]);
    if (answer.starts_with("ok") && answer != "ok:unchanged") {
      EXPECT_GT(store.LastSequence(), last);
    } else {
      EXPECT_EQ(store.Sheet("T"), before);
      EXPECT_EQ(store.LastSequence(), last);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Commands, StateMachineRow, testing::ValuesIn(kRows),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(StateMachine, RecordsTheExitOfTheHolderAndOfTheLastOwnerOnly) {
  constexpr std::array<const char*, kStates.size()> kExpected = {
      "stale_token", "wrong_state", "ok", "ok", "ok", "ok", "ok", "ok", "ok"};
  for (std::size_t i = 0; i < kStates.size(); ++i) {
    SCOPED_TRACE(kStates[i]);
    RulesStore store;
    Bring(store, kStates[i]);
    // A claim of a compensation grants a token too, which is not the last owner's.
    const std::uint64_t token =
        std::string_view(kStates[i]) == "compensated" ? 4 : store.TokenOf("T");
    const std::string arguments = R"({"token":)" + std::to_string(token) + R"(,"exit_code":0})";
    EXPECT_EQ(store.Run("record_exit", "T", arguments), kExpected[i]);
    EXPECT_EQ(store.Run("record_exit", "T", R"({"token":4503599627370496,"exit_code":0})"),
              i < 4 ? "stale_token" : "terminal");
  }
}

TEST(StateMachine, TellsADispatcherThatItsWorkerOwnsTheSagaNow) {
  RulesStore store;
  Bring(store, "dispatched");
  const std::string dispatch = std::to_string(store.TokenOf("T"));
  ASSERT_EQ(store.Run("acquire", "T", R"({"owner":"w","dispatch_token":$TOKEN})"), "ok");
  EXPECT_EQ(store.Run("abort_dispatch", "T", R"({"dispatch_token":)" + dispatch + "}"),
            "lease_held");
  EXPECT_EQ(store.refusal().holder->owner, "w");
}

TEST(StateMachine, KnowsNoSagaThatWasNeverPlanned) {
  RulesStore store;
  for (const Row& row : kRows) {
    if (std::string_view(row.command) == "plan" ||
        std::string_view(row.arguments).find("$VERSION") != std::string_view::npos) {
      continue;
    }
    EXPECT_EQ(store.Run(row.command, "ghost", row.arguments), "not_found") << row.name;
  }
  EXPECT_EQ(store.LastSequence(), 1U);  // store_opened
}

}  // namespace
}  // namespace sagalog
