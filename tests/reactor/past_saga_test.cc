// GET /v1/sagas/{id}?at=: a saga as a read showed it then.
#include <map>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/reactor/api_store.h"

namespace sagalog {
namespace {

using ::testing::HasSubstr;
namespace json = boost::json;

class PastSagaTest : public testing::Test {
 protected:
  // What reads show of T1 now, by the last sequence of the store. Refusals and clean-up apart, no
  // moment between two events shows anything else.
  void Look() {
    const auto status = api_.Get("/v1/status");
    const ApiResponse shown = api_.Send("GET", "/v1/sagas/T1");
    ASSERT_EQ(shown.status, 200) << shown.body;
    by_sequence_[Member(status, "last_sequence")] = shown.body;
    by_time_[Member(status, "time")] = shown.body;
  }

  void Post(std::string_view target, std::string_view body = {}) {
    api_.Post(target, body);
    Look();
    Pass("1s");
  }

  void Put(std::string_view target, std::string_view body) {
    const ApiResponse set = api_.Send("PUT", target, body);
    ASSERT_EQ(set.status, 200) << set.body;
    if (!by_time_.empty()) {
      Look();
    }
    Pass("1s");
  }

  void Pass(const char* by) {
    ApiOptions options;
    options.manual_clock = &api_.clock();
    const auto moved =
        api_.Send("POST", "/v1/clock:advance", fmt::format(R"({{"by":"{}"}})", by), options);
    ASSERT_EQ(moved.status, 200) << moved.body;
  }

  // A life with everything that others' events decide: policies, children, dependencies, a host
  // that slept.
  void Live() {
    Put("/v1/queues/q", R"({"policy":{"progress_timeout":"90s"}})");
    api_.Post("/v1/sagas", R"({"saga_id":"D"})");
    Post("/v1/sagas", R"({"saga_id":"T1","queue":"q","depends_on":["D"],"key":"k",
        "compensations":[{"id":"c","kind":"k","target":"t"}]})");
    Post("/v1/sagas", R"({"saga_id":"child","parent":"T1"})");
    api_.Post("/v1/sagas/D:acquire", R"({"owner":"W"})");
    const std::string d = Member(api_.Get("/v1/sagas/D"), "token");
    Post("/v1/sagas/D:complete", fmt::format(R"({{"token":{}}})", d));
    Post("/v1/sagas/T1:acquire", R"({"owner":"W","ttl":"30s"})");
    const std::string token = Member(api_.Get("/v1/sagas/T1"), "token");
    Post("/v1/sagas/T1:heartbeat", fmt::format(R"({{"token":{},"progress":"half"}})", token));
    Pass("100s");
    Look();
    ApiOptions options;
    options.manual_clock = &api_.clock();
    ASSERT_EQ(api_.Send("POST", "/v1/clock:suspend", R"({"for":"1h"})", options).status, 200);
    Look();
    Post("/v1/sagas/T1:acquire", R"({"owner":"W","ttl":"30s"})");
    Pass("100s");
    Put("/v1/queues/q", R"({"policy":{"progress_timeout":"off"}})");
    Put("/v1/policy", R"({"policy":{"max_recoveries":1}})");
    Post("/v1/sagas/T1:recover",
         fmt::format(R"({{"observed":{},"decision":"fail","evidence":"gone"}})",
                     Member(api_.Get("/v1/sagas/T1"), "version")));
    Post("/v1/sagas/T1:claim-compensation", R"({"id":"c","executor":"x"})");
  }

  ApiStore api_;
  std::map<std::string, std::string> by_sequence_;
  std::map<std::string, std::string> by_time_;
};

TEST_F(PastSagaTest, EveryMomentShowsWhatAReadShowedThen) {
  Live();
  ASSERT_GE(by_time_.size(), 10U);
  for (const auto& [time, shown] : by_time_) {
    SCOPED_TRACE(time);
    EXPECT_EQ(api_.Send("GET", "/v1/sagas/T1?at=" + time).body, shown);
  }
}

TEST_F(PastSagaTest, ASequenceShowsItsEventAndNothingLater) {
  Live();
  for (const auto& [sequence, shown] : by_sequence_) {
    SCOPED_TRACE(sequence);
    const json::object then = api_.Get("/v1/sagas/T1?at=" + sequence);
    const json::object was = json::parse(shown).as_object();
    for (const char* name : {"state", "version", "sequence", "progress", "children", "token",
                             "compensations", "compensation_status"}) {
      EXPECT_EQ(Member(then, name), Member(was, name)) << name;
    }
  }
}

// Another generation of the key settles what this one began; the saga itself has no event of it.
TEST_F(PastSagaTest, AnEffectThatAnotherGenerationSettledShowsFromThenOn) {
  Post("/v1/sagas", R"({"saga_id":"T1","key":"k"})");
  Post("/v1/sagas/T1:acquire", R"({"owner":"W","ttl":"30s"})");
  const std::string token = Member(api_.Get("/v1/sagas/T1"), "token");
  Post("/v1/sagas/T1:begin-effect",
       fmt::format(R"({{"token":{},"effect":"deploy","fingerprint":"f","scope":"key"}})", token));
  Post("/v1/sagas/T1:fail",
       fmt::format(R"({{"token":{},"reason":"r","no_compensation_reason":"none"}})", token));
  Post("/v1/sagas", R"({"saga_id":"T2","key":"k"})");
  Post("/v1/sagas/T2:settle-effect", R"({"effect":"deploy","outcome":"done","result":"v2"})");
  ASSERT_THAT(by_time_.rbegin()->second, HasSubstr(R"("result":"v2")"));
  ASSERT_GE(by_time_.size(), 6U);
  for (const auto& [time, shown] : by_time_) {
    SCOPED_TRACE(time);
    EXPECT_EQ(api_.Send("GET", "/v1/sagas/T1?at=" + time).body, shown);
  }
}

// Dead dependencies and late children: an ended saga takes neither.
TEST_F(PastSagaTest, WhatOthersDidShowsFromThenOn) {
  api_.Post("/v1/sagas", R"({"saga_id":"D"})");
  Post("/v1/sagas", R"({"saga_id":"T1","depends_on":["D","later"]})");
  Post("/v1/sagas/D:cancel", R"({"reason":"r"})");
  Post("/v1/sagas", R"({"saga_id":"later"})");
  Post("/v1/sagas", R"({"saga_id":"child","parent":"T1"})");
  Post("/v1/sagas/T1:cancel", R"({"reason":"r"})");
  ASSERT_EQ(by_time_.size(), 5U);
  for (const auto& [time, shown] : by_time_) {
    SCOPED_TRACE(time);
    EXPECT_EQ(api_.Send("GET", "/v1/sagas/T1?at=" + time).body, shown);
  }
}

TEST_F(PastSagaTest, LookingBackChangesNothing) {
  Live();
  const std::string before = api_.Send("GET", "/v1/sagas/T1").body;
  const std::string sequence = Member(api_.Get("/v1/status"), "last_sequence");
  EXPECT_EQ(Member(api_.Get("/v1/sagas/T1?at=4"), "version"), "1");
  EXPECT_EQ(api_.Send("GET", "/v1/sagas/T1").body, before);
  EXPECT_EQ(Member(api_.Get("/v1/status"), "last_sequence"), sequence);
  EXPECT_TRUE(api_.store().Verify()->broken.empty());
}

TEST_F(PastSagaTest, AnOffsetIsTheSameMoment) {
  api_.Post("/v1/sagas", R"({"saga_id":"T1"})");
  EXPECT_EQ(Member(api_.Get("/v1/sagas/T1?at=2026-11-21T05:18:00%2B02:00"), "state"), "planned");
}

TEST_F(PastSagaTest, WhatWasNotYetAndWhatIsToComeAreRefused) {
  api_.Post("/v1/sagas", R"({"saga_id":"T0"})");
  api_.Post("/v1/sagas", R"({"saga_id":"T1"})");
  struct Refused {
    const char* at;
    int status;
    const char* says;
  };
  for (const Refused& refused :
       {Refused{"2", 404, "there was no saga T1 then"},
        Refused{"2026-11-21T03:17:59Z", 404, "there was no saga T1 then"},
        Refused{"4", 400, "the log ends at sequence 3"}, Refused{"0", 400, "the log ends at"},
        Refused{"2026-11-21T03:18:01Z", 400, "what is to come is not known"},
        Refused{"2026-11-21T03:18:00", 400, "names no zone"},
        Refused{"noon", 400, "neither a sequence nor a time"},
        Refused{"-1", 400, "neither a sequence nor a time"}}) {
    SCOPED_TRACE(refused.at);
    const ApiResponse response = api_.Send("GET", std::string("/v1/sagas/T1?at=") + refused.at);
    EXPECT_EQ(response.status, refused.status);
    EXPECT_THAT(response.body, HasSubstr(refused.says));
  }
  EXPECT_EQ(api_.Send("GET", "/v1/sagas/T9?at=3").status, 404);
}

}  // namespace
}  // namespace sagalog
