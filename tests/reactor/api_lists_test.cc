// Filters, pages and encodings of the HTTP interface's reads.
#include <string>
#include <thread>
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

std::vector<std::string> Column(const json::object& page, std::string_view name) {
  std::vector<std::string> values;
  for (const json::value& item : page.at("items").as_array()) {
    values.push_back(Member(item.as_object(), name));
  }
  return values;
}

std::vector<std::string> Sagas(ApiStore& api, const std::string& query) {
  return Column(api.Get("/v1/sagas" + query), "saga_id");
}

TEST(ApiLists, EachFilterNarrowsTheSagas) {
  ApiStore api;
  api.Post("/v1/sagas", R"({"saga_id":"A","key":"acme/app#1","queue":"q&a","stage":"one"})");
  api.Post("/v1/sagas", R"({"saga_id":"B","labels":{"team":"blue=green"}})");
  api.Acquire("C");
  EXPECT_THAT(Sagas(api, ""), ElementsAre("A", "B", "C"));
  EXPECT_THAT(Sagas(api, "?state=planned"), ElementsAre("A", "B"));
  EXPECT_THAT(Sagas(api, "?owner=W"), ElementsAre("C"));
  EXPECT_THAT(Sagas(api, "?queue=q%26a"), ElementsAre("A"));
  EXPECT_THAT(Sagas(api, "?key=acme%2Fapp%231"), ElementsAre("A"));
  EXPECT_THAT(Sagas(api, "?key=acme/app%231"), ElementsAre("A"));
  EXPECT_THAT(Sagas(api, "?stage=one"), ElementsAre("A"));
  EXPECT_THAT(Sagas(api, "?label=team=blue=green"), ElementsAre("B"));
  EXPECT_THAT(Sagas(api, "?label=team%3Dblue%3Dgreen"), ElementsAre("B"));
  EXPECT_THAT(Sagas(api, "?label=team=blue"), IsEmpty());
  EXPECT_THAT(Sagas(api, "?state=&owner=&queue="), ElementsAre("A", "B", "C"));
}

TEST(ApiLists, QueuesThatAreConfiguredOrHoldASagaAreListedByName) {
  ApiStore api;
  EXPECT_THAT(Column(api.Get("/v1/queues"), "queue"), IsEmpty());
  api.Post("/v1/sagas", R"({"saga_id":"A","queue":"deploy"})");
  api.Post("/v1/sagas", R"({"saga_id":"B","queue":"deploy"})");
  api.Acquire("C");
  ASSERT_EQ(api.Send("PUT", "/v1/queues/build", R"({"limit":4,"frozen":true})").status, 200);
  const json::object all = api.Get("/v1/queues");
  EXPECT_THAT(Column(all, "queue"), ElementsAre("build", "default", "deploy"));
  EXPECT_THAT(Column(all, "limit"), ElementsAre("4", "", ""));
  EXPECT_THAT(Column(all, "frozen"), ElementsAre("true", "false", "false"));
  EXPECT_THAT(Column(all, "planned"), ElementsAre("0", "0", "2"));
  EXPECT_THAT(Column(all, "slots_used"), ElementsAre("0", "1", "0"));
  EXPECT_EQ(Member(all, "cursor"), "");
  EXPECT_EQ(Member(all, "sequence"), std::to_string(api.store().log().Last().value()));
  const json::object first = api.Get("/v1/queues?limit=2");
  EXPECT_THAT(Column(first, "queue"), ElementsAre("build", "default"));
  EXPECT_THAT(Column(api.Get("/v1/queues?limit=2&cursor=" + Member(first, "cursor")), "queue"),
              ElementsAre("deploy"));
  EXPECT_EQ(api.Send("GET", "/v1/queues?frozen=true").status, 400);
}

TEST(ApiLists, APlusInAQueryIsASpace) {
  ApiStore api;
  api.Post("/v1/sagas", R"({"saga_id":"A","key":"one two"})");
  api.Post("/v1/sagas", R"({"saga_id":"B","key":"one+two"})");
  EXPECT_THAT(Sagas(api, "?key=one+two"), ElementsAre("A"));
  EXPECT_THAT(Sagas(api, "?key=one%20two"), ElementsAre("A"));
  EXPECT_THAT(Sagas(api, "?key=one%2Btwo"), ElementsAre("B"));
}

TEST(ApiLists, ASagaIdMayBeEncoded) {
  ApiStore api;
  api.Acquire("a.b-c_d~e");
  EXPECT_EQ(Member(api.Get("/v1/sagas/a%2Eb%2dc_d~e"), "saga_id"), "a.b-c_d~e");
}

TEST(ApiLists, PagesOfSagasFollowEachOther) {
  ApiStore api;
  for (const char* id : {"A", "B", "C", "D", "E"}) {
    api.Post("/v1/sagas", fmt::format(R"({{"saga_id":"{}"}})", id));
  }
  std::vector<std::string> all;
  std::string cursor;
  int pages = 0;
  do {
    const json::object page = api.Get("/v1/sagas?limit=2&cursor=" + cursor);
    for (std::string& id : Column(page, "saga_id")) {
      all.push_back(std::move(id));
    }
    cursor = Member(page, "cursor");
    ++pages;
  } while (!cursor.empty() && pages < 5);
  EXPECT_THAT(all, ElementsAre("A", "B", "C", "D", "E"));
  EXPECT_EQ(pages, 3);
}

TEST(ApiLists, PagesOfAHistoryLeadBackInTime) {
  ApiStore api;
  api.Acquire("T1");
  for (int i = 0; i < 3; ++i) {
    api.Post("/v1/sagas/T1:annotate", fmt::format(R"({{"text":"{}"}})", i));
  }
  const json::object newest = api.Get("/v1/sagas/T1/events?limit=2");
  EXPECT_THAT(Column(newest, "version"), ElementsAre("4", "5"));
  const json::object middle =
      api.Get("/v1/sagas/T1/events?limit=2&cursor=" + Member(newest, "cursor"));
  EXPECT_THAT(Column(middle, "version"), ElementsAre("2", "3"));
  const json::object oldest =
      api.Get("/v1/sagas/T1/events?limit=2&cursor=" + Member(middle, "cursor"));
  EXPECT_THAT(Column(oldest, "version"), ElementsAre("1"));
  EXPECT_EQ(Member(oldest, "cursor"), "");
}

TEST(ApiLists, AHistoryLeavesHeartbeatsOutWhenAsked) {
  ApiStore api;
  const std::uint64_t token = api.Acquire("T1");
  api.clock().Advance(std::chrono::seconds(1));
  api.Post("/v1/sagas/T1:heartbeat", fmt::format(R"({{"token":{}}})", token));
  EXPECT_THAT(Column(api.Get("/v1/sagas/T1/events"), "type"),
              ElementsAre("planned", "leased", "heartbeated"));
  EXPECT_THAT(Column(api.Get("/v1/sagas/T1/events?transitions_only=true"), "type"),
              ElementsAre("planned", "leased"));
}

TEST(ApiLists, ACursorOfAnotherHistoryIsRefused) {
  ApiStore api;
  api.Acquire("T1");
  const json::object other = api.Post("/v1/sagas", R"({"saga_id":"T2"})");
  for (const std::string& cursor : {Member(other, "sequence"), std::string("1000000")}) {
    const ApiResponse response = api.Send("GET", "/v1/sagas/T1/events?cursor=" + cursor);
    EXPECT_EQ(response.status, 400) << response.body;
    EXPECT_EQ(Member(Document(response), "subject"), "cursor");
  }
}

TEST(ApiLists, AReadWaitsForItsSequence) {
  ApiStore api;
  const json::object first = api.Post("/v1/sagas", R"({"saga_id":"T1"})");
  const std::uint64_t next = first.at("sequence").to_number<std::uint64_t>() + 1;
  ApiOptions patient;
  patient.sequence_patience = std::chrono::minutes(5);
  ApiResponse response;
  std::thread reader([&] {
    response = api.Send("GET", fmt::format("/v1/sagas?min_sequence={}", next), {}, patient);
  });
  api.Post("/v1/sagas", R"({"saga_id":"T2"})");
  reader.join();
  EXPECT_EQ(response.status, 200);
  EXPECT_GE(Document(response).at("sequence").to_number<std::uint64_t>(), next);
  EXPECT_THAT(Column(Document(response), "saga_id"), ElementsAre("T1", "T2"));
}

TEST(ApiLists, AnAnswerIsTrueOfTheSequenceItSays) {
  ApiStore api;
  const json::object answer = api.Post("/v1/sagas", R"({"saga_id":"T1"})");
  EXPECT_EQ(Member(api.Get("/v1/sagas"), "sequence"), Member(answer, "sequence"));
  EXPECT_EQ(Member(api.Get("/v1/sagas/T1/events"), "sequence"), Member(answer, "sequence"));
}

}  // namespace
}  // namespace sagalog
