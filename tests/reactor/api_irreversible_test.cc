// Lists of what is irreversible and not over, and the store's policy.
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/reactor/api_store.h"

namespace sagalog {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace json = boost::json;

std::vector<std::string> Effects(const json::object& page) {
  std::vector<std::string> effects;
  for (const json::value& item : page.at("items").as_array()) {
    const json::object& row = item.as_object();
    effects.push_back(Member(row, "saga_id") + "/" +
                      Member(row.at("effect").as_object(), "effect") + "/" + Member(row, "state"));
  }
  return effects;
}

void Begin(ApiStore& api, const std::string& saga, std::uint64_t token, const std::string& effect) {
  api.Post(fmt::format("/v1/sagas/{}:begin-effect", saga),
           fmt::format(R"({{"token":{},"effect":"{}","fingerprint":"f"}})", token, effect));
}

TEST(EffectsInDoubt, AreListedUntilTheyAreSettledAlsoAfterTheEnd) {
  ApiStore api;
  const std::uint64_t one = api.Acquire("T1");
  const std::uint64_t two = api.Acquire("T2");
  Begin(api, "T2", two, "push");
  Begin(api, "T1", one, "merge");
  Begin(api, "T1", one, "tag");
  api.Post("/v1/sagas/T1:complete", fmt::format(R"({{"token":{}}})", one));
  const json::object page = api.Get("/v1/effects?in_doubt=true");
  EXPECT_THAT(Effects(page),
              ElementsAre("T1/merge/completed", "T1/tag/completed", "T2/push/running"));
  const json::object row = page.at("items").as_array().back().as_object();
  EXPECT_EQ(Member(row, "token"), std::to_string(two));
  EXPECT_EQ(Member(row.at("owner").as_object(), "owner"), "W");
  EXPECT_EQ(Member(row.at("effect").as_object(), "begun_at"), "2026-11-21T03:18:00.000000Z");
  api.Post("/v1/sagas/T1:settle-effect", R"({"effect":"merge","outcome":"done"})");
  EXPECT_THAT(Effects(api.Get("/v1/effects")), ElementsAre("T1/tag/completed", "T2/push/running"));
}

TEST(EffectsInDoubt, FollowEachOtherInPages) {
  ApiStore api;
  const std::uint64_t token = api.Acquire("T1");
  for (const char* effect : {"a", "b", "c"}) {
    Begin(api, "T1", token, effect);
  }
  const json::object first = api.Get("/v1/effects?in_doubt=true&limit=2");
  EXPECT_THAT(Effects(first), ElementsAre("T1/a/running", "T1/b/running"));
  const json::object second =
      api.Get("/v1/effects?in_doubt=true&limit=2&cursor=" + Member(first, "cursor"));
  EXPECT_THAT(Effects(second), ElementsAre("T1/c/running"));
  EXPECT_EQ(Member(second, "cursor"), "");
}

TEST(EffectsInDoubt, AreTheOnlyEffectsListed) {
  ApiStore api;
  const ApiResponse response = api.Send("GET", "/v1/effects?in_doubt=false");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(Member(Document(response), "subject"), "in_doubt");
}

TEST(Sections, SayWhoIsInsideSinceWhenAndWhetherItIsOverdue) {
  ApiStore api;
  const std::uint64_t token = api.Acquire("T1");
  api.Acquire("T2");
  api.Post("/v1/sagas/T1:enter-section",
           fmt::format(R"({{"token":{},"name":"merge","max_age":"40s"}})", token));
  json::object row = api.Get("/v1/sections").at("items").as_array().at(0).as_object();
  EXPECT_EQ(Member(row, "saga_id"), "T1");
  EXPECT_EQ(json::serialize(row.at("section")),
            R"({"name":"merge","since":"2026-11-21T03:18:00.000000Z","max_age":"40s"})");
  EXPECT_EQ(Member(row.at("owner").as_object(), "owner"), "W");
  EXPECT_EQ(Member(row, "overdue"), "false");
  EXPECT_EQ(Member(row, "expires_at"), "2026-11-21T03:18:30.000000Z");
  api.clock().Advance(std::chrono::seconds(40));
  row = api.Get("/v1/sections").at("items").as_array().at(0).as_object();
  EXPECT_EQ(Member(row, "overdue"), "true");
  api.Post("/v1/sagas/T1:leave-section",
           fmt::format(R"({{"token":{},"outcome":"merged"}})", token));
  EXPECT_THAT(api.Get("/v1/sections").at("items").as_array(), IsEmpty());
}

TEST(StorePolicy, IsShownAsItWasSet) {
  ApiStore api;
  EXPECT_EQ(Member(api.Get("/v1/policy"), "policy"), "{}");
  EXPECT_EQ(api.Send("PUT", "/v1/policy", R"({"policy":{"max_recoveries":5},"limit":32})").status,
            200);
  api.Acquire("T1");
  const json::object policy = api.Get("/v1/policy");
  EXPECT_EQ(Member(policy, "policy"), R"({"max_recoveries":5})");
  EXPECT_EQ(Member(policy, "limit"), "32");
  EXPECT_EQ(Member(policy, "slots_used"), "1");
}

}  // namespace
}  // namespace sagalog
