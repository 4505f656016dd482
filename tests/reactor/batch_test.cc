// Several commands at once: all or none, or each by itself.
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema/json.h"
#include "schema/limits.h"
#include "tests/reactor/api_store.h"

namespace sagalog {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace json = boost::json;

std::string Atomic(const std::string& commands) {
  return fmt::format(R"({{"atomic":true,"commands":[{}]}})", commands);
}
std::string Each(const std::string& commands) {
  return fmt::format(R"({{"commands":[{}]}})", commands);
}

// "ok planned" or the code, for each answer.
std::vector<std::string> Outcomes(const json::object& answer) {
  std::vector<std::string> outcomes;
  for (const json::value& item : answer.at("answers").as_array()) {
    const json::object& one = item.as_object();
    const json::value* saga = one.if_contains("saga");
    outcomes.push_back(one.contains("code")
                           ? Member(one, "code")
                           : Member(one, "outcome") + " " +
                                 (saga == nullptr ? "" : Member(saga->as_object(), "state")));
  }
  return outcomes;
}

constexpr const char* kId = R"("request_id":"00112233445566778899aabbccddeeff")";

TEST(AtomicBatch, SeesWhatTheCommandsBeforeDidInOneAppend) {
  ApiStore api;
  const std::uint64_t before = api.store().log().Last().value();
  const json::object answer = api.Post(
      "/v1/batch", Atomic(R"({"do":"plan","saga_id":"A"},{"do":"plan","saga_id":"B","parent":"A"},
                             {"do":"acquire","saga_id":"B","owner":"w"},
                             {"do":"park","saga_id":"A"},{"do":"park","saga_id":"A"})"));
  EXPECT_THAT(Outcomes(answer), ElementsAre("ok planned", "ok planned", "ok running", "ok planned",
                                            "unchanged planned"));
  EXPECT_EQ(api.store().log().Last().value(), before + 4);
  EXPECT_EQ(Member(answer, "sequence"), std::to_string(before + 4));
  EXPECT_EQ(Member(api.Get("/v1/sagas/A"), "children"), R"(["B"])");
}

TEST(AtomicBatch, RefusalNamesItsCommandAndLeavesNothingBehind) {
  ApiStore api;
  const std::uint64_t token = api.Acquire("T1");
  const std::uint64_t before = api.store().log().Last().value();
  const std::string commands = fmt::format(
      R"({{"do":"plan","saga_id":"A","key":"k",{}}},{{"do":"complete","saga_id":"T1","token":{}}},
         {{"do":"heartbeat","saga_id":"T1","token":{}}},{{"do":"plan","saga_id":"B"}})",
      kId, token, token);
  const ApiResponse response = api.Send("POST", "/v1/batch", Atomic(commands));
  EXPECT_EQ(response.status, 409);
  const json::object problem = Document(response);
  EXPECT_EQ(Member(problem, "code"), "terminal");
  EXPECT_EQ(Member(problem, "index"), "2");
  EXPECT_EQ(Member(problem, "saga_id"), "T1");
  EXPECT_EQ(api.store().log().Last().value(), before);
  EXPECT_EQ(Member(api.Get("/v1/sagas/T1"), "state"), "running");
  EXPECT_EQ(api.Send("GET", "/v1/sagas/A").status, 404);
  EXPECT_THAT(api.Get("/v1/sagas?key=k").at("items").as_array(), IsEmpty());
  // The request id is free, for another content too.
  const json::object planned =
      api.Post("/v1/sagas", fmt::format(R"({{"saga_id":"C","queue":"other",{}}})", kId));
  EXPECT_EQ(Member(planned, "replayed"), "false");
  EXPECT_EQ(Member(planned, "sequence"), std::to_string(before + 1));
}

TEST(AtomicBatch, SentAgainIsAnsweredAgain) {
  ApiStore api;
  const std::string batch = Atomic(fmt::format(
      R"({{"do":"plan","saga_id":"A",{}}},{{"do":"plan","saga_id":"A",{}}},
         {{"do":"acquire","saga_id":"A","owner":"w",
           "request_id":"11112233445566778899aabbccddeeff"}})",
      kId, kId));
  const json::object first = api.Post("/v1/batch", batch);
  EXPECT_EQ(Member(first.at("answers").as_array()[0].as_object(), "replayed"), "false");
  EXPECT_EQ(Member(first.at("answers").as_array()[1].as_object(), "replayed"), "true");
  const std::uint64_t before = api.store().log().Last().value();
  const json::object second = api.Post("/v1/batch", batch);
  for (std::size_t i = 0; i < 3; ++i) {
    const json::object answer = second.at("answers").as_array()[i].as_object();
    EXPECT_EQ(Member(answer, "replayed"), "true");
    EXPECT_EQ(Member(answer, "sequence"),
              Member(first.at("answers").as_array()[i].as_object(), "sequence"));
  }
  EXPECT_EQ(api.store().log().Last().value(), before);
}

TEST(AtomicBatch, TakesConfigurationsBackToo) {
  ApiStore api;
  api.Acquire("T1");
  const std::string stale = Member(api.Get("/v1/sagas/T1"), "stale");
  EXPECT_EQ(api.Send("POST", "/v1/batch",
                     Atomic(R"({"do":"configure_queue","queue":"default","frozen":true,
                                "policy":{"max_running":"10m"}},
                               {"do":"configure_queue","queue":"new","limit":1},
                               {"do":"change_policy","policy":{"max_recoveries":7},"limit":1},
                               {"do":"acquire","saga_id":"T1","owner":"x"})"))
                .status,
            409);
  EXPECT_EQ(Member(api.Get("/v1/queues/default"), "frozen"), "false");
  EXPECT_EQ(Member(api.Get("/v1/queues/default"), "policy"), "{}");
  EXPECT_EQ(Member(api.Get("/v1/queues/new"), "limit"), "");
  EXPECT_EQ(Member(api.Get("/v1/policy"), "policy"), "{}");
  api.clock().Advance(std::chrono::seconds(29));
  EXPECT_EQ(Member(api.Get("/v1/sagas/T1"), "stale"), stale);
  const auto report = api.store().Verify();
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->broken, "");
}

TEST(AtomicBatch, LargerThanOneAppendIsRefusedWhole) {
  ApiStore api;
  std::vector<commands::CommandT> batch;
  const std::size_t count = kBatchBytesMax / kPayloadSizeMax + 1;
  for (std::size_t i = 0; i < count; ++i) {
    commands::PlanT plan;
    plan.payload.resize(kPayloadSizeMax);
    batch.emplace_back();
    batch.back().saga_id = fmt::format("T{}", i);
    batch.back().body.Set(std::move(plan));
  }
  const Sequence before = api.store().log().Last();
  const BatchReply reply = api.store().ExecuteBatch(std::move(batch), true);
  ASSERT_TRUE(reply.refusal);
  EXPECT_EQ(reply.refusal->code, schema::RefusalCode::limit_reached);
  EXPECT_EQ(api.store().log().Last(), before);
  EXPECT_THAT(api.Get("/v1/sagas").at("items").as_array(), IsEmpty());
}

TEST(Batch, StandsForEachCommandByItself) {
  ApiStore api;
  const json::object answer =
      api.Post("/v1/batch", Each(R"({"do":"plan","saga_id":"A"},{"do":"park","saga_id":"nobody"},
                           {"do":"acquire","saga_id":"A"},{"do":"fly","saga_id":"A"},
                           {"do":"annotate","saga_id":"A","text":"x","colour":1},7,
                           {"do":"claim-next","queue":"default","owner":"w"})"));
  EXPECT_THAT(Outcomes(answer),
              ElementsAre("ok planned", "not_found", "invalid_argument", "invalid_argument",
                          "invalid_argument", "invalid_argument", "ok running"));
  const json::object unknown = answer.at("answers").as_array()[4].as_object();
  EXPECT_EQ(Member(unknown, "subject"), "commands[4].colour");
  EXPECT_EQ(Member(unknown, "status"), "400");
}

TEST(Batch, OfManyIsDecidedInOrder) {
  ApiStore api;
  std::string commands = R"({"do":"plan","saga_id":"A"})";
  for (int i = 0; i < 500; ++i) {
    commands += fmt::format(
        R"(,{{"do":"advance-stage","saga_id":"A","actor":"me","expected":"{}","next":"{}"}})",
        i == 0 ? "" : std::to_string(i - 1), i);
  }
  const json::object answer = api.Post("/v1/batch", Each(commands));
  EXPECT_EQ(answer.at("answers").as_array().size(), 501U);
  EXPECT_EQ(Member(api.Get("/v1/sagas/A"), "stage"), "499");
  EXPECT_EQ(Member(api.Get("/v1/sagas/A"), "version"), "501");
}

TEST(Batch, ThatCannotBeReadIsRefusedWhole) {
  ApiStore api;
  const std::uint64_t before = api.store().log().Last().value();
  std::string many = R"({"do":"plan","saga_id":"A"})";
  for (std::size_t i = 0; i < kBatchCommandsMax; ++i) {
    many += R"(,{"do":"park","saga_id":"A"})";
  }
  for (const auto& [body, part] : std::vector<std::pair<std::string, std::string>>{
           {"", "no JSON"},
           {"{}", "commands: is required"},
           {R"({"commands":{}})", "commands: expected a list"},
           {R"({"commands":[],"atomic":1})", "atomic: expected true or false"},
           {R"({"commands":[],"all":true})", "all: there is no such field"},
           {Each(many), "commands: has 1001 elements, allowed are 1000"},
           {Atomic(R"({"do":"plan","saga_id":"A"},{"saga_id":"A"})"),
            "commands[1].do: is required"},
           {Atomic(R"({"do":"plan","saga_id":"A"},{"do":"heartbeat","saga_id":"A"})"), "token"}}) {
    const ApiResponse response = api.Send("POST", "/v1/batch", body);
    EXPECT_EQ(response.status, 400) << body;
    EXPECT_THAT(response.body, HasSubstr(part));
  }
  EXPECT_EQ(api.store().log().Last().value(), before);
  EXPECT_THAT(Outcomes(api.Post("/v1/batch", Each(""))), IsEmpty());
}

}  // namespace
}  // namespace sagalog
