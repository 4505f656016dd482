// Which paths there are, and that each reaches what it says.
#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema/json.h"
#include "tests/reactor/api_store.h"

namespace sagalog {
namespace {

using ::testing::HasSubstr;
namespace json = boost::json;

TEST(ApiRoutes, PlanAnswersWithTheSaga) {
  ApiStore api;
  const json::object answer =
      api.Post("/v1/sagas", R"({"saga_id":"T1","key":"acme/app#168","queue":"deploy"})");
  EXPECT_EQ(Member(answer, "outcome"), "ok");
  EXPECT_EQ(Member(answer, "replayed"), "false");
  const json::object& saga = answer.at("saga").as_object();
  EXPECT_EQ(Member(saga, "saga_id"), "T1");
  EXPECT_EQ(Member(saga, "state"), "planned");
  EXPECT_EQ(Member(saga, "key"), "acme/app#168");
}

TEST(ApiRoutes, ACommandGoesToTheSagaOfThePath) {
  ApiStore api;
  const std::uint64_t token = api.Acquire("T1");
  const json::object answer =
      api.Post("/v1/sagas/T1:advance-stage",
               fmt::format(R"({{"token":{},"expected":"","next":"build"}})", token));
  EXPECT_EQ(Member(answer.at("saga").as_object(), "stage"), "build");
  EXPECT_EQ(Member(answer.at("saga").as_object(), "state"), "running");
}

// A command that this release does not decide yet is refused by the rules, never unknown here.
TEST(ApiRoutes, EveryCommandOfTheSchemaHasItsPath) {
  ApiStore api;
  for (const std::string& name : CommandNames()) {
    std::string action = name;
    std::replace(action.begin(), action.end(), '_', '-');
    std::string method = "POST";
    std::string target = "/v1/sagas/T1:" + action;
    if (name == "claim_next") {
      target = "/v1/queues/deploy:claim-next";
    } else if (name == "report_owners") {
      target = "/v1/owners:report";
    } else if (name == "configure_queue" || name == "change_policy") {
      method = "PUT";
      target = name == "change_policy" ? "/v1/policy" : "/v1/queues/deploy";
    }
    const ApiResponse response = api.Send(method, target, R"({"no_such_field":1})");
    EXPECT_EQ(response.status, 400) << target;
    EXPECT_THAT(response.body, HasSubstr("no_such_field")) << target;
  }
}

TEST(ApiRoutes, ClaimNextTakesTheFirstOfTheQueueInThePath) {
  ApiStore api;
  api.Post("/v1/sagas", R"({"saga_id":"low","queue":"a/b: c"})");
  api.Post("/v1/sagas", R"({"saga_id":"high","queue":"a/b: c","priority":5})");
  api.Post("/v1/sagas", R"({"saga_id":"elsewhere","priority":9})");
  const json::object answer =
      api.Post("/v1/queues/a%2Fb%3A%20c:claim-next", R"({"owner":{"owner":"W","pid":7}})");
  EXPECT_EQ(Member(answer.at("saga").as_object(), "saga_id"), "high");
  EXPECT_EQ(Member(answer.at("saga").at("owner").as_object(), "pid"), "7");
}

TEST(ApiRoutes, AQueueIsShownByItsDecodedName) {
  ApiStore api;
  api.Post("/v1/sagas", R"({"saga_id":"T1","queue":"a/b: c"})");
  const json::object queue = api.Get("/v1/queues/a%2Fb%3A%20c");
  EXPECT_EQ(Member(queue, "queue"), "a/b: c");
  EXPECT_EQ(Member(queue, "planned"), "1");
  EXPECT_FALSE(Member(queue, "sequence").empty());
}

TEST(ApiRoutes, AHistoryIsListedOldestFirst) {
  ApiStore api;
  api.Acquire("T1");
  const json::object history = api.Get("/v1/sagas/T1/events");
  const json::array& items = history.at("items").as_array();
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(Member(items[0].as_object(), "type"), "planned");
  EXPECT_EQ(Member(items[1].as_object(), "type"), "leased");
  EXPECT_EQ(Member(items[1].as_object(), "principal"), "tester");
  EXPECT_EQ(Member(items[1].at("body").as_object(), "how"), "first");
  EXPECT_EQ(Member(history, "cursor"), "");
}

TEST(ApiRoutes, ProjectionsAnswerInPages) {
  ApiStore api;
  api.Acquire("T1");
  for (const char* path : {"/v1/sagas", "/v1/stale", "/v1/compensations", "/v1/owners"}) {
    const json::object page = api.Get(path);
    EXPECT_TRUE(page.at("items").is_array()) << path;
    EXPECT_TRUE(page.contains("sequence")) << path;
    EXPECT_EQ(Member(page, "cursor"), "") << path;
    EXPECT_TRUE(page.contains("cursor")) << path;
  }
}

TEST(ApiRoutes, AnExpiredLeaseIsListedAsStale) {
  ApiStore api;
  api.Acquire("T1");
  api.clock().Advance(std::chrono::seconds(31));
  const json::array items = api.Get("/v1/stale").at("items").as_array();
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(Member(items[0].as_object(), "saga_id"), "T1");
  EXPECT_EQ(Member(items[0].at("reasons").at(0).as_object(), "reason"), "lease_expired");
}

TEST(ApiRoutes, TheStoreSaysHowItIs) {
  ApiStore api;
  const json::object status = api.Get("/v1/status");
  EXPECT_EQ(Member(status, "health"), "open");
  EXPECT_EQ(Member(status, "sequence"), Member(status, "last_sequence"));
  EXPECT_EQ(Member(api.Get("/healthz"), "health"), "alive");
  EXPECT_EQ(Member(api.Get("/readyz"), "health"), "ready");
}

TEST(ApiRoutes, MaintenanceAnswers) {
  ApiStore api;
  api.Acquire("T1");
  const json::object report = api.Post("/v1/admin/verify", "{}");
  EXPECT_EQ(Member(report, "ok"), "true") << Member(report, "broken");
  EXPECT_EQ(Member(report, "broken"), "");
  EXPECT_EQ(Member(api.Post("/v1/admin/checkpoint"), "outcome"), "ok");
  EXPECT_EQ(Member(api.Post("/v1/admin/rebuild"), "outcome"), "ok");
  EXPECT_EQ(Member(api.Get("/v1/sagas/T1"), "state"), "running");
}

TEST(ApiRoutes, AManualClockIsMovedByDurations) {
  ApiStore api;
  ApiOptions options;
  options.manual_clock = &api.clock();
  const ApiResponse response = api.Send("POST", "/v1/clock:advance", R"({"by":"90s"})", options);
  EXPECT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(Member(Document(response), "time"), "2026-11-21T03:19:30.000000Z");
  EXPECT_EQ(api.Send("POST", "/v1/clock:step-wall", R"({"by":"-30s"})", options).status, 200);
  EXPECT_EQ(api.Send("POST", "/v1/clock:suspend", R"({"for":"1m"})", options).status, 200);
}

TEST(ApiRoutes, AManualClockRefusesWhatIsNoStepForward) {
  ApiStore api;
  ApiOptions options;
  options.manual_clock = &api.clock();
  for (const char* body : {R"({"by":"-30s"})", R"({"by":30})", R"({"for":"30s"})", "{}", "[]", "",
                           R"({"by":"100000d"})"}) {
    EXPECT_EQ(api.Send("POST", "/v1/clock:advance", body, options).status, 400) << body;
  }
}

TEST(ApiRoutes, AManualClockIsNotSetBefore1970) {
  ApiStore api;
  ApiOptions options;
  options.manual_clock = &api.clock();
  const std::string back = R"({"by":"-3650d"})";
  for (int decade = 0; decade < 5; ++decade) {
    EXPECT_EQ(api.Send("POST", "/v1/clock:step-wall", back, options).status, 200);
  }
  const StoreTime wall = api.clock().Read().wall;
  const ApiResponse refused = api.Send("POST", "/v1/clock:step-wall", back, options);
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(Member(Document(refused), "subject"), "by");
  EXPECT_THAT(refused.body, testing::HasSubstr("between 1970 and the year 9999"));
  EXPECT_EQ(api.clock().Read().wall, wall) << "nothing was moved";
}

TEST(ApiRoutes, TheMachinesClockIsNotMoved) {
  ApiStore api;
  const ApiResponse response = api.Send("POST", "/v1/clock:advance", R"({"by":"90s"})");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(Member(Document(response), "code"), "not_found");
}

}  // namespace
}  // namespace sagalog
