// Which refusal comes first, what it tells, and what refusals leave behind.
#include <gtest/gtest.h>

#include "tests/reactor/rules_store.h"

namespace sagalog {
namespace {

constexpr const char* kId1 = "0000000000000000000000000000000a";

std::string Request(std::string_view rest) {
  return R"({"request_id":")" + std::string(kId1) + "\"" + std::string(rest) + "}";
}

TEST(RefusalOrder, OfTheGeneralOnesIsTheContracts) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T"), "ok");
  ASSERT_EQ(store.Run("acquire", "T", R"({"owner":"w","ttl":"10s"})"), "ok");
  const std::string mine = std::to_string(store.TokenOf("T"));
  ASSERT_EQ(store.Run("heartbeat", "T", Request(R"(,"ttl":"11s","token":)" + mine)), "ok");
  // Each call adds the fault that comes before the one before.
  constexpr const char* kOtherOwner = R"(,"owner":"x")";
  store.Advance("20s");
  EXPECT_EQ(store.Run("complete", "T", R"({"token":)" + mine + "}"), "lease_expired");
  EXPECT_EQ(store.Run("complete", "T", R"({"token":)" + mine + kOtherOwner + "}"), "not_owner");
  EXPECT_EQ(store.Run("complete", "T", std::string(R"({"token":99)") + kOtherOwner + "}"),
            "stale_token");
  EXPECT_EQ(store.Run("complete", "T",
                      std::string(R"({"token":99,"expected_version":1)") + kOtherOwner + "}"),
            "version_conflict");
  ASSERT_EQ(store.Run("cancel", "T"), "ok");
  EXPECT_EQ(store.Run("complete", "T", R"({"token":99,"expected_version":1})"), "terminal");
  EXPECT_EQ(store.Run("complete", "ghost", R"({"token":99,"expected_version":1})"), "not_found");
  EXPECT_EQ(store.Run("complete", "ghost", R"({"token":0})"), "invalid_argument");
}

TEST(RefusalOrder, PutsAConflictingRequestBeforeTheEndOfTheSaga) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T"), "ok");
  ASSERT_EQ(store.Run("annotate", "T", Request(R"(,"text":"a")")), "ok");
  ASSERT_EQ(store.Run("cancel", "T"), "ok");
  EXPECT_EQ(store.Run("annotate", "T", Request(R"(,"text":"a")")), "ok:replayed");
  EXPECT_EQ(store.Run("cancel", "T", Request("")), "request_conflict");
}

TEST(Refusal, TellsWhatTheCallerNeedsToAct) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T", R"({"stage":"build"})"), "ok");
  ASSERT_EQ(store.Run("acquire", "T", R"({"owner":"w","ttl":"60s"})"), "ok");
  ASSERT_EQ(store.Run("acquire", "T", R"({"owner":"x"})"), "lease_held");
  EXPECT_EQ(store.refusal().saga_id, "T");
  EXPECT_EQ(store.refusal().holder->owner, "w");
  EXPECT_EQ(store.refusal().expires_at - store.refusal().since, 60'000'000);
  EXPECT_EQ(store.refusal().actual_version, 2U);
  ASSERT_EQ(
      store.Run("advance_stage", "T", R"({"token":$TOKEN,"expected":"test","next":"deploy"})"),
      "stage_conflict");
  EXPECT_EQ(store.refusal().actual_stage, "build");
  EXPECT_EQ(store.refusal().actual_sequence, 2U) << "the planned event set it";
}

TEST(Refusal, UsesUpNoRequestId) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T"), "ok");
  ASSERT_EQ(store.Run("acquire", "T", R"({"owner":"w","ttl":"10s"})"), "ok");
  store.Advance("10s");
  ASSERT_EQ(store.Run("complete", "T", Request(R"(,"token":$TOKEN)")), "lease_expired");
  ASSERT_EQ(store.Run("acquire", "T", R"({"owner":"w"})"), "ok");
  EXPECT_EQ(store.Run("complete", "T", Request(R"(,"token":$TOKEN)")), "ok");
  EXPECT_EQ(store.Run("complete", "T", Request(R"(,"token":$TOKEN)")), "ok:replayed");
}

TEST(ExpectedVersion, IsExactOrNone) {
  RulesStore store;
  EXPECT_EQ(store.Run("plan", "T", R"({"expected_version":"none"})"), "ok");
  EXPECT_EQ(store.Run("plan", "T", R"({"expected_version":"none"})"), "version_conflict");
  EXPECT_EQ(store.Run("annotate", "T", R"({"expected_version":2,"text":"n"})"), "version_conflict");
  EXPECT_EQ(store.refusal().actual_version, 1U);
  EXPECT_EQ(store.Run("annotate", "T", R"({"expected_version":1,"text":"n"})"), "ok");
}

TEST(Request, GetsItsAnswerAgainAsItWasThen) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T", Request(R"(,"stage":"a")")), "ok");
  const std::uint64_t sequence = store.answer().sequence;
  ASSERT_EQ(store.Run("advance_stage", "T", R"({"actor":"o","expected":"a","next":"b"})"), "ok");
  const std::uint64_t last = store.LastSequence();
  store.Crash();
  EXPECT_EQ(store.Run("plan", "other-id", Request(R"(,"stage":"a")")), "ok:replayed");
  EXPECT_EQ(store.answer().sequence, sequence);
  ASSERT_NE(store.answer().saga, nullptr);
  EXPECT_EQ(store.answer().saga->saga_id, "T");
  EXPECT_EQ(store.answer().saga->stage, "a") << "the saga as it was after the request";
  EXPECT_EQ(store.Run("plan", "other-id", Request(R"(,"stage":"x")")), "request_conflict");
  EXPECT_EQ(store.LastSequence(), last + 1) << "store_opened, and nothing else";
}

TEST(Request, OfAnAcquisitionGetsItsTokenAgain) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T"), "ok");
  ASSERT_EQ(store.Run("acquire", "T", Request(R"(,"owner":"w")")), "ok");
  const std::uint64_t token = store.answer().token;
  store.Advance("1s");
  EXPECT_EQ(store.Run("acquire", "T", Request(R"(,"owner":"w")")), "ok:replayed");
  EXPECT_EQ(store.answer().token, token);
}

TEST(Request, OfAHeartbeatCountsOnlyWhileItsLeaseLives) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T"), "ok");
  ASSERT_EQ(store.Run("acquire", "T", R"({"owner":"w","ttl":"10s"})"), "ok");
  store.Advance("5s");
  ASSERT_EQ(store.Run("heartbeat", "T", Request(R"(,"token":$TOKEN)")), "ok");
  store.Advance("5s");
  EXPECT_EQ(store.Run("heartbeat", "T", Request(R"(,"token":$TOKEN)")), "ok:replayed");
  store.Advance("5s");
  EXPECT_EQ(store.Run("heartbeat", "T", Request(R"(,"token":$TOKEN)")), "lease_expired");
}

TEST(Request, OfAClaimFindsTheSagaThatWasClaimed) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "A"), "ok");
  ASSERT_EQ(store.Run("plan", "B"), "ok");
  ASSERT_EQ(store.Run("claim_next", "", Request(R"(,"queue":"default","owner":"w")")), "ok");
  EXPECT_EQ(store.answer().saga->saga_id, "A");
  const std::uint64_t token = store.answer().token;
  EXPECT_EQ(store.Run("claim_next", "", Request(R"(,"queue":"default","owner":"w")")),
            "ok:replayed");
  EXPECT_EQ(store.answer().saga->saga_id, "A");
  EXPECT_EQ(store.answer().token, token);
  EXPECT_EQ(store.StateOf("B"), "planned");
}

TEST(Poisoned, StoreAnswersReplaysAndRefusesTheRest) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T", Request("")), "ok");
  store.disk().InjectAfter(0, MemoryDisk::Fault::kWriteFails);
  ASSERT_EQ(store.Run("annotate", "T", R"({"text":"lost"})"), "read_only");
  EXPECT_EQ(store.Run("plan", "T", Request("")), "ok:replayed");
  EXPECT_EQ(store.Run("cancel", "T"), "read_only");
  EXPECT_EQ(store.Run("cancel", "ghost"), "read_only") << "before not_found";
  EXPECT_EQ(store.StateOf("T"), "planned");
  EXPECT_EQ(store.Saga("T").version, 1U);
}

}  // namespace
}  // namespace sagalog
