// A whole store as it was, against what its lists showed then.
#include "reactor/past_store.h"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema/json.h"
#include "tests/reactor/api_store.h"

namespace sagalog {
namespace {

namespace json = boost::json;

// What the lists said at one moment.
struct Look {
  PastPlace place;
  std::string sagas;
  std::string stale;
  std::string queue;
};

std::string Items(const json::object& page) { return json::serialize(page.at("items")); }

class PastStoreTest : public testing::Test {
 protected:
  void Take() {
    const json::object status = api_.Get("/v1/status");
    Look look;
    look.place = {Sequence(status.at("last_sequence").to_number<std::uint64_t>()),
                  *ParseTime(Member(status, "time"))};
    look.sagas = Items(api_.Get("/v1/sagas"));
    look.stale = Items(api_.Get("/v1/stale"));
    json::object queue = api_.Get("/v1/queues/q");
    queue.erase("sequence");
    look.queue = json::serialize(queue);
    looks_.push_back(std::move(look));
  }

  void Post(std::string_view target, std::string_view body = {}) {
    api_.Post(target, body);
    Take();
    Pass("1s");
  }

  void Pass(const char* by) {
    ApiOptions options;
    options.manual_clock = &api_.clock();
    ASSERT_EQ(
        api_.Send("POST", "/v1/clock:advance", fmt::format(R"({{"by":"{}"}})", by), options).status,
        200);
  }

  // Leases that run out, sagas that end and come back to memory, a queue that is changed, a
  // checkpoint in between.
  void Live() {
    ASSERT_EQ(api_.Send("PUT", "/v1/queues/q", R"({"limit":3})").status, 200);
    Take();
    Post("/v1/sagas", R"({"saga_id":"A","queue":"q","key":"k",
         "compensations":[{"id":"c","kind":"k","target":"t"}]})");
    Post("/v1/sagas", R"({"saga_id":"B","queue":"q"})");
    Post("/v1/sagas/A:acquire", R"({"owner":"W","ttl":"30s"})");
    Post("/v1/sagas/B:dispatch", R"({"owner":"V","ttl":"10s"})");
    Pass("60s");
    Take();
    ASSERT_EQ(api_.Send("PUT", "/v1/queues/q", R"({"frozen":true})").status, 200);
    Post("/v1/sagas/A:recover",
         fmt::format(R"({{"observed":{},"decision":"fail","evidence":"gone"}})",
                     Member(api_.Get("/v1/sagas/A"), "version")));
    Post("/v1/sagas/B:cancel", R"({"reason":"r"})");
    ASSERT_TRUE(api_.store().Checkpoint().ok());
    ASSERT_TRUE(api_.store().Checkpoint().ok());
    Post("/v1/sagas/B:annotate", R"({"text":"late"})");
    Post("/v1/sagas", R"({"saga_id":"C","queue":"q","key":"k"})");
  }

  ApiStore api_;
  std::vector<Look> looks_;
};

// A list of rows as JSON.
template <typename Row>
std::string ToList(const std::vector<Row>& rows) {
  json::array list;
  for (const Row& row : rows) {
    list.push_back(json::parse(ToJson(row)));
  }
  return json::serialize(list);
}

TEST_F(PastStoreTest, EveryMomentShowsWhatTheListsShowedThen) {
  Live();
  ASSERT_GE(looks_.size(), 10U);
  TemporaryFolder scratch;
  const auto past = PastStore::Open(api_.store().log(), scratch.path());
  ASSERT_TRUE(past.ok()) << past.status().text();
  for (const Look& look : looks_) {
    SCOPED_TRACE(look.place.through.value());
    ASSERT_TRUE((*past)->MoveTo(look.place).ok());
    json::array sagas;
    SagaViewer viewer(api_.store().log());
    ASSERT_TRUE((*past)
                    ->VisitSagas(Sequence(), true,
                                 [&](const SagaSnapshot& snapshot) {
                                   sagas.push_back(json::parse(ToJson(**viewer.View(snapshot))));
                                   return Status();
                                 })
                    .ok());
    EXPECT_EQ(json::serialize(sagas), look.sagas);
    EXPECT_EQ(ToList((*past)->Stale()), look.stale);
    const std::vector<answers::QueueT> queues = (*past)->Queues();
    ASSERT_EQ(queues.size(), 1U);
    EXPECT_EQ(json::serialize(json::parse(ToJson(queues.front()))), look.queue);
  }
}

TEST_F(PastStoreTest, LiveSagasAreThoseThatHadNotEndedOrStillOweSomething) {
  Live();
  TemporaryFolder scratch;
  const auto past = PastStore::Open(api_.store().log(), scratch.path());
  ASSERT_TRUE((*past)->MoveTo(looks_.back().place).ok());
  std::vector<std::string> ids;
  ASSERT_TRUE((*past)
                  ->VisitSagas(Sequence(), false,
                               [&](const SagaSnapshot& snapshot) {
                                 ids.push_back(snapshot.saga.id);
                                 return Status();
                               })
                  .ok());
  EXPECT_THAT(ids, testing::ElementsAre("A", "C"));  // B was cancelled and owes nothing
  EXPECT_EQ((*past)->Find("B")->value().saga.state, State::cancelled);
  EXPECT_FALSE((*past)->Find("Z")->has_value());
}

TEST_F(PastStoreTest, ALogOfAMillionEventsNeedsNoFolder) {
  Live();
  TemporaryFolder scratch;
  const auto past = PastStore::Open(api_.store().log(), scratch.path() / "not-made");
  ASSERT_TRUE((*past)->MoveTo(looks_.back().place).ok());
  EXPECT_FALSE(std::filesystem::exists(scratch.path() / "not-made"));
}

}  // namespace
}  // namespace sagalog
