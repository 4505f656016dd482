#include <map>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema/json.h"
#include "tests/reactor/store_on_disk.h"

namespace sagalog {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<std::string> Ids(const answers::SagaPageT& page) {
  std::vector<std::string> ids;
  for (const auto& saga : page.items) {
    ids.push_back(saga->saga_id);
  }
  return ids;
}

std::vector<std::string> Listed(StoreOnDisk& store, const SagaQuery& query) {
  const auto page = store->List(query);
  EXPECT_TRUE(page.ok()) << page.status().text();
  return page.ok() ? Ids(*page) : std::vector<std::string>();
}

// Some live, some ended, some of them on disk only.
class StoreReads : public testing::Test {
 protected:
  void SetUp() override {
    store.KeepRows();
    for (int i = 0; i < 9; ++i) {
      commands::PlanT plan;
      plan.queue = i % 2 == 0 ? "even" : "odd";
      plan.stage = i < 5 ? "low" : "high";
      plan.labels.push_back(std::make_unique<schema::LabelT>());
      plan.labels.back()->name = "third";
      plan.labels.back()->value = i % 3 == 0 ? "yes" : "no";
      const std::string saga = "S" + std::to_string(i);
      EXPECT_EQ(Summary(store->Plan(saga, std::move(plan)).Get()), "ok");
      if (i % 4 == 1) {
        store.Complete(saga, store.Acquire(saga, "finisher"));
        EXPECT_TRUE(store->Checkpoint().ok());
      }
    }
    store.Acquire("S2", "holder");
    store.Acquire("S8", "holder");
  }
  StoreOnDisk store;
};

TEST_F(StoreReads, ListsLiveAndEndedInTheOrderOfPlanning) {
  EXPECT_THAT(Listed(store, {}), ElementsAre("S0", "S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8"));
}

TEST_F(StoreReads, EachFilterNarrowsTheList) {
  SagaQuery query;
  query.state = schema::State::completed;
  EXPECT_THAT(Listed(store, query), ElementsAre("S1", "S5"));
  query = {};
  query.queue = "odd";
  EXPECT_THAT(Listed(store, query), ElementsAre("S1", "S3", "S5", "S7"));
  query.stage = "high";
  EXPECT_THAT(Listed(store, query), ElementsAre("S5", "S7"));
  query = {};
  query.label_name = "third";
  query.label_value = "yes";
  EXPECT_THAT(Listed(store, query), ElementsAre("S0", "S3", "S6"));
  query.label_value = "no";
  EXPECT_THAT(Listed(store, query), ElementsAre("S1", "S2", "S4", "S5", "S7", "S8"));
  query = {};
  query.owner = "holder";
  EXPECT_THAT(Listed(store, query), ElementsAre("S2", "S8"));
  query.owner = "finisher";
  EXPECT_THAT(Listed(store, query), ElementsAre("S1", "S5"));
}

TEST_F(StoreReads, PagesJoinToTheWholeList) {
  SagaQuery query;
  query.limit = 2;
  std::vector<std::string> all;
  int pages = 0;
  do {
    const auto page = store->List(query);
    ASSERT_TRUE(page.ok());
    EXPECT_EQ(page->sequence, store.log().Last().value());
    for (const std::string& id : Ids(*page)) {
      all.push_back(id);
    }
    query.cursor = page->cursor;
    ++pages;
  } while (!query.cursor.empty());
  EXPECT_THAT(all, SizeIs(9));
  EXPECT_EQ(pages, 5);
  query.cursor = "nonsense";
  EXPECT_EQ(store->List(query).status().code(), Code::kInvalidArgument);
}

TEST_F(StoreReads, AKeyListsAllItsGenerations) {
  SagaQuery query;
  query.key = "acme/app#1";
  EXPECT_THAT(Listed(store, query), IsEmpty());
  for (int generation = 1; generation <= 6; ++generation) {
    commands::PlanT plan;
    plan.key = query.key;
    plan.rerun = "once more";
    const std::string saga = "G" + std::to_string(generation);
    ASSERT_EQ(Summary(store->Plan(saga, std::move(plan)).Get()), "ok");
    ASSERT_EQ(Summary(store->Cancel(saga, {}).Get()), "ok");
    if (generation == 3) {
      ASSERT_TRUE(store->Checkpoint().ok());
      store.Plan("filler");
      ASSERT_TRUE(store->Checkpoint().ok());
    }
  }
  EXPECT_THAT(Listed(store, query), ElementsAre("G1", "G2", "G3", "G4", "G5", "G6"));
  EXPECT_EQ(store->Find("G6")->generation, 6U);
  query.state = schema::State::planned;
  EXPECT_THAT(Listed(store, query), IsEmpty());
}

TEST_F(StoreReads, StaleOnesAreListedWithTheirReasons) {
  EXPECT_THAT(store->Stale({})->items, IsEmpty());
  store.clock.Advance(seconds(60));
  const auto page = store->Stale({});
  ASSERT_TRUE(page.ok());
  ASSERT_THAT(page->items, SizeIs(2));
  EXPECT_EQ(page->items[0]->saga_id, "S2");
  EXPECT_EQ(page->items[0]->reasons[0]->reason, schema::StaleReason::lease_expired);
  EXPECT_EQ(page->items[0]->owner->owner, "holder");
  PageQuery one;
  one.limit = 1;
  const auto first = store->Stale(one);
  ASSERT_THAT(first->items, SizeIs(1));
  one.cursor = first->cursor;
  const auto second = store->Stale(one);
  ASSERT_THAT(second->items, SizeIs(1));
  EXPECT_EQ(second->items[0]->saga_id, "S8");
  EXPECT_EQ(second->cursor, "");
}

TEST_F(StoreReads, OwnersHoldTheirSagas) {
  store.Acquire("S0", "another");
  const auto page = store->Owners({});
  ASSERT_TRUE(page.ok());
  ASSERT_THAT(page->items, SizeIs(2));
  EXPECT_EQ(page->items[0]->owner->owner, "another");
  EXPECT_THAT(page->items[0]->sagas, ElementsAre("S0"));
  EXPECT_THAT(page->items[1]->sagas, ElementsAre("S2", "S8"));
}

TEST_F(StoreReads, AQueueTellsItsSlotsAndDepth) {
  commands::ConfigureQueueT configure;
  configure.queue = "even";
  configure.limit = 3;
  ASSERT_EQ(Summary(store->ConfigureQueue(std::move(configure)).Get()), "ok");
  const auto queue = store->Queue("even");
  ASSERT_TRUE(queue.ok());
  EXPECT_EQ(queue->slots_used, 2U);
  EXPECT_EQ(queue->planned, 3U);
  EXPECT_EQ(queue->limit, 3);
}

TEST_F(StoreReads, AHistoryIsOldestFirstAndKeepsTheNewest) {
  const std::uint64_t token = store->Find("S2")->token;
  store.clock.Advance(std::chrono::seconds(1));
  store.Heartbeat("S2", token);
  store.Complete("S2", token);
  const auto types = [this](bool transitions_only, std::size_t limit) {
    std::vector<std::string> names;
    const auto history = store->History("S2", transitions_only, limit);
    EXPECT_TRUE(history.ok());
    for (const StoredEvent& event : *history) {
      names.emplace_back(EventTypeName(event->body_type()));
    }
    return names;
  };
  EXPECT_THAT(types(false, 100), ElementsAre("planned", "leased", "heartbeated", "terminal"));
  EXPECT_THAT(types(true, 100), ElementsAre("planned", "leased", "terminal"));
  EXPECT_THAT(types(false, 2), ElementsAre("heartbeated", "terminal"));
  EXPECT_EQ(store->History("none", false, 9).status().code(), Code::kNotFound);
}

TEST_F(StoreReads, TheStatusCountsSagas) {
  const answers::StatusT status = store->Describe();
  std::map<std::string, std::uint64_t> counts;
  for (const auto& count : status.live) {
    counts[schema::EnumNameState(count->state)] = count->count;
  }
  for (const auto& count : status.ended) {
    counts[schema::EnumNameState(count->state)] = count->count;
  }
  const std::map<std::string, std::uint64_t> expected{
      {"planned", 5}, {"running", 2}, {"completed", 2}};
  EXPECT_EQ(counts, expected);
  EXPECT_EQ(status.health, "open");
  EXPECT_EQ(status.last_sequence, store.log().Last().value());
}

TEST_F(StoreReads, AReadWaitsForItsSequence) {
  const Sequence next = store.log().Last().Next();
  std::thread planner([&] { store.Plan("later"); });
  EXPECT_TRUE(store->Find("S0", next).ok());
  EXPECT_EQ(store.StateOf("later"), "planned");
  planner.join();
}

TEST_F(StoreReads, ASagaShowsWhatItIs) {
  commands::PlanT plan;
  plan.key = "k";
  plan.parent = "S0";
  plan.branch = "fix/168";
  plan.compensations.push_back(std::make_unique<schema::CompensationT>());
  plan.compensations.back()->id = "branch";
  plan.compensations.back()->kind = "delete_branch";
  plan.compensations.back()->target = "fix/168";
  ASSERT_EQ(Summary(store->Plan("full", std::move(plan)).Get()), "ok");
  const std::uint64_t token = store.Acquire("full");
  commands::HeartbeatT heartbeat;
  heartbeat.token = token;
  heartbeat.progress = "halfway";
  EXPECT_EQ(Summary(store->Heartbeat("full", std::move(heartbeat)).Get()), "ok");
  commands::BeginEffectT effect;
  effect.token = token;
  effect.effect = "merge";
  effect.fingerprint = "abc";
  ASSERT_EQ(Summary(store->BeginEffect("full", std::move(effect)).Get()), "ok");
  commands::RecordExitT exit;
  exit.token = token;
  exit.exit_code = 3;
  ASSERT_EQ(Summary(store->RecordExit("full", std::move(exit)).Get()), "ok");
  const auto saga = store->Find("full");
  ASSERT_TRUE(saga.ok());
  EXPECT_EQ(saga->branch, "fix/168");
  EXPECT_EQ(saga->parent, "S0");
  EXPECT_EQ(saga->progress, "halfway");
  EXPECT_EQ(saga->exit->code, 3);
  ASSERT_THAT(saga->effects, SizeIs(1));
  EXPECT_EQ(saga->effects[0]->begun_at, ToMicros(store.clock.Read().wall));
  EXPECT_FALSE(saga->effects[0]->settled);
  ASSERT_THAT(saga->compensations, SizeIs(1));
  EXPECT_EQ(saga->compensations[0]->target, "fix/168");
  EXPECT_EQ(saga->token, token);
  EXPECT_THAT(store->Find("S0")->children, ElementsAre("full"));

  ASSERT_EQ(Summary(store->Quarantine("full", {}).Get()), "ok");
  const auto ended = store->Find("full");
  EXPECT_EQ(ended->owner->owner, "W") << "the last owner stays shown";
  EXPECT_EQ(ended->token, 0U);
  EXPECT_EQ(ended->expires_at, 0);
  EXPECT_NE(ended->ended_at, 0);
  EXPECT_EQ(ended->compensation_status, schema::CompensationStatus::owed);
}

}  // namespace
}  // namespace sagalog
