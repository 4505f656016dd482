#include <fstream>
#include <thread>

#include <gtest/gtest.h>

#include "schema/json.h"
#include "tests/reactor/store_on_disk.h"

namespace sagalog {
namespace {

void PlanSome(StoreOnDisk& store, int first, int count) {
  for (int i = first; i < first + count; ++i) {
    const std::string saga = "S" + std::to_string(i);
    ASSERT_EQ(Summary(store.Plan(saga, "key" + saga)), "ok");
    if (i % 3 == 0) {
      const std::uint64_t token = store.Acquire(saga);
      if (i % 2 == 0) {
        ASSERT_EQ(Summary(store.Complete(saga, token)), "ok");
      }
    }
  }
}

std::string Sheets(StoreOnDisk& store) {
  SagaQuery query;
  query.limit = 1000;
  const auto page = store->List(query);
  EXPECT_TRUE(page.ok()) << page.status().text();
  return page.ok() ? ToJson(*page) : "";
}

// Others may append meanwhile.
void ExpectSound(StoreOnDisk& store) {
  const Sequence before = store.log().Last();
  const auto report = store->Verify();
  ASSERT_TRUE(report.ok()) << report.status().text();
  EXPECT_EQ(report->broken, "");
  EXPECT_GE(report->last, before);
  EXPECT_LE(report->last, store.log().Last());
}

TEST(StoreCheckpoint, OpeningTakesTheCheckpointAndTheTail) {
  StoreOnDisk store;
  store.KeepRows();
  PlanSome(store, 0, 30);
  ASSERT_TRUE(store->Checkpoint().ok());
  const std::uint64_t checkpoint = store->Describe().checkpoint_sequence;
  EXPECT_EQ(checkpoint, store.log().Last().value());
  PlanSome(store, 30, 10);
  const std::string before = Sheets(store);
  store.options.read_only = true;
  store.Reopen();
  EXPECT_EQ(store->Describe().checkpoint_sequence, checkpoint);
  EXPECT_EQ(Sheets(store), before);
}

TEST(StoreCheckpoint, ClosingTakesOne) {
  StoreOnDisk store;
  store.KeepRows();
  PlanSome(store, 0, 10);
  const std::uint64_t last = store.log().Last().value();
  ASSERT_TRUE(store->Close().ok());
  store.options.read_only = true;
  store.Reopen();
  EXPECT_EQ(store->Describe().checkpoint_sequence, last);
}

TEST(StoreCheckpoint, OneIsTakenAfterSoManyEvents) {
  StoreOnDisk store;
  store.options.checkpoint_events = 10;
  store.options.checkpoint_interval = std::chrono::hours(1);
  store.KeepRows();
  const std::uint64_t before = store->Describe().checkpoint_sequence;
  // As many commands as it takes the checkpoint's thread to get its turn.
  for (int i = 0; store->Describe().checkpoint_sequence == before; ++i) {
    ASSERT_EQ(Summary(store.Plan("S" + std::to_string(i))), "ok");
  }
}

TEST(StoreCheckpoint, TakenUnderLoadItEqualsARebuild) {
  StoreOnDisk store;
  store.options.checkpoint_events = 50;
  store.KeepRows();
  std::vector<std::thread> planners;
  for (int planner = 0; planner < 2; ++planner) {
    planners.emplace_back([&store, planner] { PlanSome(store, planner * 1000, 300); });
  }
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(store->Checkpoint().ok());
    ExpectSound(store);
  }
  for (std::thread& planner : planners) {
    planner.join();
  }
  ExpectSound(store);
  const std::string before = Sheets(store);
  ASSERT_TRUE(store->Rebuild().ok());
  EXPECT_EQ(Sheets(store), before);
  ExpectSound(store);
}

TEST(StoreCheckpoint, RebuildingUnderLoadLosesNothing) {
  StoreOnDisk store;
  store.KeepRows();
  std::thread planner([&store] { PlanSome(store, 0, 200); });
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(store->Rebuild().ok());
  }
  planner.join();
  ExpectSound(store);
  EXPECT_TRUE(store->Health().ok());
  EXPECT_EQ(store.StateOf("S0"), "completed");
}

TEST(StoreCheckpoint, ADamagedOneIsFoldedAgain) {
  StoreOnDisk store;
  store.KeepRows();
  PlanSome(store, 0, 30);
  ASSERT_TRUE(store->Close().ok());
  store.Kill();
  for (const auto& file : std::filesystem::directory_iterator(store.rows())) {
    const std::string name = file.path().filename();
    if (name.ends_with(".sst") || name.starts_with("MANIFEST")) {
      std::ofstream(file.path(), std::ios::binary) << "this is no table";
    }
  }
  store.Reopen();
  EXPECT_TRUE(store->Health().ok());
  EXPECT_EQ(store.StateOf("S0"), "completed");
  EXPECT_EQ(store.StateOf("S29"), "planned");
  ExpectSound(store);
}

TEST(StoreCheckpoint, OneAheadOfTheLogIsFoldedAgain) {
  StoreOnDisk store;
  store.KeepRows();
  PlanSome(store, 0, 10);
  ASSERT_TRUE(store->Close().ok());
  store.Kill();
  StoreOnDisk other;
  PlanSome(other, 20, 22);
  other.Kill();
  other.disk->CopyTo(*store.disk);
  store.Reopen();
  EXPECT_FALSE(store->Find("S0").ok());
  EXPECT_EQ(Summary(store.Plan("S0")), "ok");
}

TEST(StoreCheckpoint, ARowlessStoreVerifiesToo) {
  StoreOnDisk store;
  PlanSome(store, 0, 10);
  ExpectSound(store);
  store.options.read_only = true;
  store.Reopen();
  ExpectSound(store);
}

}  // namespace
}  // namespace sagalog
