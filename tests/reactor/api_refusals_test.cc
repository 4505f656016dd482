// What the HTTP interface says when it says no.
#include <array>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema/limits.h"
#include "tests/reactor/api_store.h"

namespace sagalog {
namespace {

using ::testing::HasSubstr;
namespace json = boost::json;

// "400 invalid_argument", having checked that it is a problem document in all its parts.
std::string Problem(const ApiResponse& response) {
  EXPECT_EQ(response.content_type, "application/problem+json") << response.body;
  const json::object problem = Document(response);
  EXPECT_EQ(Member(problem, "type"), "about:blank");
  EXPECT_FALSE(Member(problem, "title").empty());
  EXPECT_EQ(Member(problem, "status"), std::to_string(response.status));
  EXPECT_FALSE(Member(problem, "detail").empty()) << response.body;
  EXPECT_FALSE(Member(problem, "sequence").empty());
  return fmt::format("{} {}", response.status, Member(problem, "code"));
}

TEST(ApiRefusals, HttpStatusOfEveryCode) {
  using schema::RefusalCode;
  for (const RefusalCode code : schema::EnumValuesRefusalCode()) {
    int expected = 409;
    if (code == RefusalCode::invalid_argument) expected = 400;
    if (code == RefusalCode::unauthenticated) expected = 401;
    if (code == RefusalCode::forbidden) expected = 403;
    if (code == RefusalCode::not_found) expected = 404;
    if (code == RefusalCode::overloaded) expected = 429;
    if (code == RefusalCode::read_only || code == RefusalCode::corrupt) expected = 503;
    EXPECT_EQ(HttpStatus(code), expected) << schema::EnumNameRefusalCode(code);
  }
}

TEST(ApiRefusals, UnknownPathsAreNotFound) {
  ApiStore api;
  for (const char* target :
       {"/", "/v1", "/v2/sagas", "/v1/sagas/", "/v1/sagas/T1/", "/v1/sagas/T1/events/1",
        "/v1/sagas/T1:no-such-command", "/v1/sagas/T1:advance_stage", "/v1/sagas/T1:claim-next",
        "/v1/sagas/:park", "/v1/sagas:park", "/v1/queues/q:acquire", "/v1/clock:stop",
        "/v1/admin/format", "/v1/sagas%2FT1", "/V1/sagas"}) {
    for (const char* method : {"GET", "POST", "PUT", "DELETE"}) {
      EXPECT_EQ(Problem(api.Send(method, target)), "404 not_found") << method << " " << target;
    }
  }
}

TEST(ApiRefusals, AWrongMethodIsToldTheRightOnes) {
  ApiStore api;
  const std::vector<std::array<const char*, 3>> cases = {
      {"PUT", "/v1/sagas", "POST, GET"},
      {"POST", "/v1/sagas/T1", "GET"},
      {"GET", "/v1/sagas/T1:acquire", "POST"},
      {"POST", "/v1/stale", "GET"},
      {"POST", "/v1/queues/q", "GET, PUT"},
      {"GET", "/v1/queues/q:claim-next", "POST"},
      {"GET", "/v1/admin/verify", "POST"},
      {"DELETE", "/v1/policy", "GET, PUT"},
      {"get", "/v1/status", "GET"},
  };
  for (const auto& [method, target, allow] : cases) {
    const ApiResponse response = api.Send(method, target);
    EXPECT_EQ(Problem(response), "405 invalid_argument") << method << " " << target;
    EXPECT_EQ(response.allow, allow) << target;
  }
}

TEST(ApiRefusals, ARefusalCarriesTheSagaAndTheFacts) {
  ApiStore api;
  api.Acquire("T1");
  const ApiResponse response = api.Send("POST", "/v1/sagas/T1:acquire", R"({"owner":"other"})");
  EXPECT_EQ(Problem(response), "409 lease_held");
  const json::object problem = Document(response);
  EXPECT_EQ(Member(problem, "saga_id"), "T1");
  EXPECT_EQ(Member(problem.at("holder").as_object(), "owner"), "W");
  EXPECT_EQ(Member(problem, "expires_at"), "2026-11-21T03:18:30.000000Z");
}

TEST(ApiRefusals, AnUnknownSagaIsNotFound) {
  ApiStore api;
  EXPECT_EQ(Problem(api.Send("GET", "/v1/sagas/T9")), "404 not_found");
  EXPECT_EQ(Problem(api.Send("GET", "/v1/sagas/T9/events")), "404 not_found");
  const ApiResponse response = api.Send("POST", "/v1/sagas/T9:park", R"({"reason":"later"})");
  EXPECT_EQ(Problem(response), "404 not_found");
  EXPECT_EQ(Member(Document(response), "saga_id"), "T9");
}

TEST(ApiRefusals, WhatIsNoJsonIsInvalid) {
  ApiStore api;
  for (const char* body : {"{", "[]", "7", "saga_id=T1", R"({"saga_id":"T1"} x)", "\xFF",
                           R"({"saga_id":"T1","saga_id":"T2"})", R"({"saga_id":7})"}) {
    EXPECT_EQ(Problem(api.Send("POST", "/v1/sagas", body)), "400 invalid_argument") << body;
  }
  EXPECT_EQ(Problem(api.Send("POST", "/v1/admin/verify", "[]")), "400 invalid_argument");
}

TEST(ApiRefusals, FieldsAtFaultAreNamed) {
  ApiStore api;
  const std::vector<std::array<const char*, 4>> cases = {
      {"POST", "/v1/sagas", R"({"saga_id":"T1","priorty":1})", "priorty"},
      {"POST", "/v1/sagas/T1:acquire", R"({"owner":{"owner":"W","pidd":1}})", "owner.pidd"},
      {"PUT", "/v1/queues/q", R"({"limits":1})", "limits"},
      {"POST", "/v1/sagas", R"({"saga_id":"no spaces"})", "saga_id"},
      {"POST", "/v1/sagas/T1:heartbeat", R"({"token":1,"ttl":"-1s"})", "ttl"},
      {"POST", "/v1/admin/checkpoint", R"({"now":true})", "now"},
  };
  for (const auto& [method, target, body, field] : cases) {
    const ApiResponse response = api.Send(method, target, body);
    EXPECT_EQ(Problem(response), "400 invalid_argument") << target;
    EXPECT_EQ(Member(Document(response), "subject"), field) << response.body;
  }
}

TEST(ApiRefusals, ThePrincipalIsNobodysToChoose) {
  ApiStore api;
  const ApiResponse response =
      api.Send("POST", "/v1/sagas", R"({"saga_id":"T1","principal":"root"})");
  EXPECT_EQ(Problem(response), "400 invalid_argument");
}

TEST(ApiRefusals, ABodyDoesNotContradictItsPath) {
  ApiStore api;
  api.Post("/v1/sagas", R"({"saga_id":"T1","queue":"q"})");
  EXPECT_EQ(Problem(api.Send("POST", "/v1/sagas/T1:park", R"({"saga_id":"T2","reason":"r"})")),
            "400 invalid_argument");
  EXPECT_EQ(Problem(api.Send("POST", "/v1/queues/q:claim-next", R"({"queue":"p","owner":"W"})")),
            "400 invalid_argument");
  EXPECT_EQ(api.Send("POST", "/v1/queues/q:claim-next", R"({"queue":"q","owner":"W"})").status,
            200);
}

TEST(ApiRefusals, QueryParametersAreKnownAndWellFormed) {
  ApiStore api;
  const std::vector<std::array<const char*, 2>> cases = {
      {"/v1/sagas?states=planned", "states"},
      {"/v1/sagas?state=sleeping", "state"},
      {"/v1/sagas?limit=0", "limit"},
      {"/v1/sagas?limit=10001", "limit"},
      {"/v1/sagas?limit=-1", "limit"},
      {"/v1/sagas?limit=1e3", "limit"},
      {"/v1/sagas?limit=1&limit=2", "limit"},
      {"/v1/sagas?label=team", "label"},
      {"/v1/sagas?label==blue", "label"},
      {"/v1/sagas/T1?limit=1", "limit"},
      {"/v1/sagas/T1/events?transitions_only=yes", "transitions_only"},
      {"/v1/sagas/T1/events?cursor=x", "cursor"},
      {"/v1/stale?min_sequence=x", "min_sequence"},
      {"/v1/status?verbose=true", "verbose"},
      {"/healthz?verbose", "verbose"},
  };
  for (const auto& [target, parameter] : cases) {
    const ApiResponse response = api.Send("GET", target);
    EXPECT_EQ(Problem(response), "400 invalid_argument") << target;
    EXPECT_EQ(Member(Document(response), "subject"), parameter) << response.body;
  }
  EXPECT_EQ(Problem(api.Send("POST", "/v1/sagas/T1:park?reason=x")), "400 invalid_argument");
}

TEST(ApiRefusals, TargetsAreCorrectlyEncodedUtf8) {
  ApiStore api;
  for (const char* target :
       {"", "v1/sagas", "/v1/sagas/%zz", "/v1/sagas/%4", "/v1/sagas/%FF", "/v1/sagas?key=%C3%28",
        "/v1/sagas?key=a b", "/v1/sagas/\xC3\xA9", "http://localhost/v1/sagas", "*"}) {
    EXPECT_EQ(Problem(api.Send("GET", target)), "400 invalid_argument") << target;
  }
}

TEST(ApiRefusals, AGetTakesNoBody) {
  ApiStore api;
  EXPECT_EQ(Problem(api.Send("GET", "/v1/sagas", "{}")), "400 invalid_argument");
}

TEST(ApiRefusals, ABodyOverTheLimitIsNotParsed) {
  ApiStore api;
  const std::string body(kRequestSizeMax + 1, ' ');
  const ApiResponse response = api.Send("POST", "/v1/sagas", body);
  EXPECT_EQ(Problem(response), "400 invalid_argument");
  EXPECT_THAT(response.body, HasSubstr(std::to_string(kRequestSizeMax)));
}

TEST(ApiRefusals, ASequenceThatDoesNotComeIsNotWaitedForForever) {
  ApiStore api;
  ApiOptions options;
  options.sequence_patience = std::chrono::milliseconds(1);
  const ApiResponse response = api.Send("GET", "/v1/sagas?min_sequence=1000000", {}, options);
  EXPECT_EQ(Problem(response), "429 overloaded");
}

TEST(ApiRefusals, AClosedStoreStillAnswersWithProblems) {
  ApiStore api;
  api.Post("/v1/sagas", R"({"saga_id":"T1"})");
  ASSERT_TRUE(api.store().Close().ok());
  const ApiResponse response = api.Send("POST", "/v1/sagas", R"({"saga_id":"T2"})");
  EXPECT_GE(response.status, 400);
  EXPECT_EQ(response.content_type, "application/problem+json");
}

TEST(ApiRefusals, AnUnsetStageIsNamedLikeAnyOther) {
  ApiStore api;
  api.Post("/v1/sagas", R"({"saga_id":"T1"})");
  const auto problem = Document(api.Send("POST", "/v1/sagas/T1:advance-stage",
                                         R"({"expected":"build","next":"test","actor":"a"})"));
  EXPECT_EQ(Member(problem, "code"), "stage_conflict");
  ASSERT_TRUE(problem.contains("actual_stage"));
  EXPECT_EQ(Member(problem, "actual_stage"), "");
}

}  // namespace
}  // namespace sagalog
