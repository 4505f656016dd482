// Policies: which are refused, where they hold, and from when on.
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/reactor/rules_store.h"

namespace sagalog {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Policy(std::string_view values) {
  return fmt::format(R"({{"policy":{{{}}}}})", values);
}

std::string OfQueue(std::string_view queue, std::string_view values) {
  return fmt::format(R"({{"queue":"{}","policy":{{{}}}}})", queue, values);
}

// How long a lease is that names no length.
Duration LeaseOf(RulesStore& store, std::string_view saga) {
  EXPECT_EQ(store.Run("acquire", saga, R"({"owner":"W"})"), "ok");
  const answers::SagaT found = store.Saga(saga);
  return Duration(found.expires_at - found.heartbeat_at);
}

TEST(PolicyOrder, IsCheckedOnTheMergedPolicyOfEachLevel) {
  RulesStore store;
  // Under the store's max_running of an hour each of these is too long, whoever says it.
  ASSERT_EQ(store.Run("change_policy", "", Policy(R"("max_running":"1h")")), "ok");
  for (const char* value : {"lease_ttl", "dispatch_ttl", "finalize_grace", "section_max_age"}) {
    const std::string too_long = fmt::format(R"("{}":"61m")", value);
    const std::uint64_t last = store.LastSequence();
    EXPECT_EQ(store.Run("change_policy", "", Policy(too_long)), "invalid_argument") << value;
    EXPECT_EQ(store.Run("configure_queue", "", OfQueue("q", too_long)), "invalid_argument");
    EXPECT_EQ(store.Run("plan", "T", Policy(too_long)), "invalid_argument");
    EXPECT_THAT(store.refusal().detail, HasSubstr(value));
    EXPECT_EQ(store.refusal().subject, "policy");
    EXPECT_EQ(store.LastSequence(), last) << "nothing is stored";
  }
  // The queue raises the ceiling for its own sagas.
  ASSERT_EQ(store.Run("configure_queue", "", OfQueue("q", R"("max_running":"2h")")), "ok");
  EXPECT_EQ(store.Run("plan", "T", R"({"queue":"q","policy":{"lease_ttl":"61m"}})"), "ok");
  EXPECT_EQ(store.Run("plan", "U", R"({"policy":{"lease_ttl":"61m","max_running":"off"}})"), "ok");
}

TEST(PolicyOrder, ALeaseNeverOutlastsTheProgressItWaitsFor) {
  RulesStore store;
  EXPECT_EQ(store.Run("plan", "T", Policy(R"("progress_timeout":"59s")")), "invalid_argument");
  EXPECT_EQ(store.Run("plan", "T", Policy(R"("progress_timeout":"60s")")), "ok");
}

TEST(PolicyOrder, OfTheStoreIsCheckedUnderItsQueues) {
  RulesStore store;
  ASSERT_EQ(store.Run("configure_queue", "", OfQueue("short", R"("max_running":"15m")")), "ok");
  EXPECT_EQ(store.Run("change_policy", "", Policy(R"("section_max_age":"20m")")),
            "invalid_argument");
  EXPECT_THAT(store.refusal().detail, HasSubstr("queue short"));
  EXPECT_EQ(store.Run("change_policy", "", Policy(R"("section_max_age":"15m")")), "ok");
}

TEST(PolicyOff, IsForMechanismsAndNotForLengths) {
  RulesStore store;
  for (const char* value : {"reopen_grace", "finalize_grace", "max_running", "progress_timeout",
                            "max_recoveries", "max_dispatch_failures", "requeue_backoff"}) {
    EXPECT_EQ(store.Run("change_policy", "", Policy(fmt::format(R"("{}":"off")", value))), "ok");
  }
  for (const char* value : {"lease_ttl", "dispatch_ttl", "section_max_age", "compensation_ttl"}) {
    EXPECT_THAT(store.Run("change_policy", "", Policy(fmt::format(R"("{}":"off")", value))),
                StartsWith("unparsable"));
  }
}

TEST(PolicyLevels, TheNearestToTheSagaCountsAndSurvivesAReopening) {
  RulesStore store;
  ASSERT_EQ(store.Run("change_policy", "", Policy(R"("lease_ttl":"70s","dispatch_ttl":"71s")")),
            "ok");
  ASSERT_EQ(store.Run("configure_queue", "", OfQueue("q", R"("lease_ttl":"80s")")), "ok");
  ASSERT_EQ(store.Run("plan", "T"), "ok");
  ASSERT_EQ(store.Run("plan", "Q", R"({"queue":"q"})"), "ok");
  ASSERT_EQ(store.Run("plan", "S", R"({"queue":"q","policy":{"lease_ttl":"90s"}})"), "ok");
  ASSERT_EQ(store.Run("plan", "D", R"({"queue":"q"})"), "ok");
  store.Crash("1h");
  EXPECT_EQ(LeaseOf(store, "T"), std::chrono::seconds(70));
  EXPECT_EQ(LeaseOf(store, "Q"), std::chrono::seconds(80));
  EXPECT_EQ(LeaseOf(store, "S"), std::chrono::seconds(90));
  EXPECT_EQ(store.Run("dispatch", "D", R"({"owner":"W"})"), "ok");
  store.Advance("71s");
  EXPECT_EQ(store.StaleOf("D"), "dispatch_expired");
}

TEST(PolicyLevels, AChangeHoldsForSagasThatRunAlready) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T"), "ok");
  ASSERT_EQ(store.Run("acquire", "T", R"({"owner":"W","ttl":"10h"})"), "ok");
  store.Advance("1h");
  EXPECT_EQ(store.StaleOf("T"), "");
  ASSERT_EQ(store.Run("change_policy", "", Policy(R"("max_running":"30m")")), "ok");
  EXPECT_EQ(store.StaleOf("T"), "max_running");
  store.Crash();
  EXPECT_EQ(store.StaleOf("T"), "max_running");
  ASSERT_EQ(store.Run("change_policy", "", Policy(R"("max_running":"off")")), "ok");
  EXPECT_EQ(store.StaleOf("T"), "");
}

TEST(PolicyLimits, WithoutMaxRecoveriesTakeoversGoOn) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T", Policy(R"("max_recoveries":"off")")), "ok");
  for (int i = 0; i < 40; ++i) {
    ASSERT_EQ(store.Run("acquire", "T", fmt::format(R"({{"owner":"w{}"}})", i)), "ok") << i;
    store.Advance("1h");
  }
}

TEST(PolicyLimits, MaxRecoveriesIsOfWhatRanAndNotOfDispatches) {
  RulesStore store;
  constexpr const char* kRequeue =
      R"({"observed":$VERSION,"decision":"requeue","evidence":"silent"})";
  ASSERT_EQ(store.Run("plan", "T", Policy(R"("max_recoveries":1,"requeue_backoff":"off")")), "ok");
  ASSERT_EQ(store.Run("acquire", "T", R"({"owner":"W"})"), "ok");
  store.Advance("1h");
  ASSERT_EQ(store.Run("recover", "T", kRequeue), "ok");
  ASSERT_EQ(store.Run("dispatch", "T", R"({"owner":"W"})"), "ok");
  store.Advance("1h");
  EXPECT_EQ(store.Run("recover", "T", kRequeue), "ok");
}

TEST(PolicyLimits, ATakeoverPastMaxRecoveriesIsRefusedUnlessItIsOff) {
  for (const bool off : {false, true}) {
    RulesStore store;
    const std::string limit = off ? R"("off")" : "1";
    ASSERT_EQ(store.Run("plan", "T", Policy(R"("max_recoveries":)" + limit)), "ok");
    ASSERT_EQ(store.Run("acquire", "T", R"({"owner":"W1","ttl":"30s"})"), "ok");
    store.Advance("30s");
    ASSERT_EQ(store.Run("acquire", "T", R"({"owner":"W2","ttl":"30s"})"), "ok");
    store.Advance("30s");
    EXPECT_EQ(store.Run("acquire", "T", R"({"owner":"W3"})"), off ? "ok" : "limit_reached");
  }
}

TEST(PolicyLimits, ASectionIsOverdueAtTheAgeOfItsPolicy) {
  RulesStore store;
  ASSERT_EQ(store.Run("plan", "T", Policy(R"("section_max_age":"45s")")), "ok");
  ASSERT_EQ(store.Run("acquire", "T", R"({"owner":"W","ttl":"30s"})"), "ok");
  ASSERT_EQ(store.Run("enter_section", "T", R"({"token":$TOKEN,"name":"deploy"})"), "ok");
  store.Advance("44s");
  EXPECT_EQ(store.StaleOf("T"), "section_open");
  store.Advance("1s");
  EXPECT_EQ(store.StaleOf("T"), "section_overdue");
}

}  // namespace
}  // namespace sagalog
