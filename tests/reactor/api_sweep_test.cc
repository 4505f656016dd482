// The reaper over HTTP: sweeps, its counters, and the clock of users' own tests.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/reactor/api_store.h"

namespace sagalog {
namespace {

using ::testing::HasSubstr;
namespace json = boost::json;

// Running until 30 s from now, to be requeued then.
void Start(ApiStore& api, const std::string& saga) {
  api.Post("/v1/sagas", R"({"saga_id":")" + saga + R"(","policy":{"on_stale":"requeue"}})");
  api.Post("/v1/sagas/" + saga + ":acquire", R"({"owner":"W","ttl":"30s"})");
}

TEST(ApiSweep, SaysWhatItWouldDoAndThenDoesIt) {
  ApiStore api;
  Start(api, "T1");
  api.clock().Advance(std::chrono::seconds(30));
  json::object report = api.Post("/v1/admin/sweep", R"({"dry_run":true})");
  EXPECT_EQ(Member(report, "dry_run"), "true");
  ASSERT_EQ(report.at("items").as_array().size(), 1U);
  json::object row = report.at("items").as_array()[0].as_object();
  EXPECT_EQ(Member(row, "saga_id"), "T1");
  EXPECT_EQ(Member(row, "outcome"), "would_recover");
  EXPECT_EQ(Member(row, "decision"), "requeue");
  EXPECT_THAT(Member(row, "detail"), HasSubstr("lease_expired since"));
  EXPECT_EQ(Member(api.Get("/v1/sagas/T1"), "state"), "running");

  report = api.Post("/v1/admin/sweep");
  EXPECT_EQ(Member(report, "recovered"), R"([{"decision":"requeue","count":1}])");
  EXPECT_EQ(Member(api.Get("/v1/sagas/T1"), "state"), "planned");
  EXPECT_EQ(Member(api.Get("/v1/sagas/T1"), "sequence"), Member(report, "sequence"));
  const json::array events = api.Get("/v1/sagas/T1/events").at("items").as_array();
  EXPECT_EQ(Member(events.back().as_object(), "actor"), "reaper");
  EXPECT_EQ(Member(events.back().as_object(), "principal"), "tester");
}

TEST(ApiSweep, RefusesWhatIsNoSweep) {
  ApiStore api;
  for (const char* body : {R"({"limit":0})", R"({"limit":10001})", R"({"limit":"7"})",
                           R"({"dry":true})", "[]", R"({"dry_run":1})"}) {
    const ApiResponse response = api.Send("POST", "/v1/admin/sweep", body);
    EXPECT_EQ(response.status, 400) << body << response.body;
  }
  EXPECT_EQ(api.Send("POST", "/v1/admin/sweep?limit=1").status, 400);
  EXPECT_EQ(api.Send("GET", "/v1/admin/sweep").status, 405);
}

TEST(ApiSweep, IsCountedInTheStatus) {
  ApiStore api;
  Start(api, "T1");
  api.clock().Advance(std::chrono::seconds(30));
  api.Post("/v1/admin/sweep");
  const json::object reaper = api.Get("/v1/status").at("reaper").as_object();
  EXPECT_EQ(Member(reaper, "running"), "false");
  EXPECT_EQ(Member(reaper, "recovered"), R"([{"decision":"requeue","count":1}])");
  EXPECT_EQ(Member(reaper, "declined"), "[]");
}

TEST(ApiSweep, AClockThatIsAdvancedSweepsOnlyWhereTheReaperRuns) {
  ApiStore api;
  Start(api, "T1");
  ApiOptions options;
  options.manual_clock = &api.clock();
  EXPECT_EQ(api.Send("POST", "/v1/clock:advance", R"({"by":"1h"})", options).status, 200);
  EXPECT_EQ(Member(api.Get("/v1/sagas/T1"), "state"), "running");
}

}  // namespace
}  // namespace sagalog
