// What stands before the damage becomes a new store; nothing else does, and the old one stays.
#include "reactor/salvage.h"

#include <filesystem>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/eventlog/scratch_directory.h"
#include "tests/reactor/store_on_disk.h"

namespace sagalog {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Salvaging : public testing::Test {
 protected:
  Salvaging() : clock_(*ParseTime("2026-11-21T14:00:00Z")) {}

  fs::path At(const std::string& name) const { return scratch_.path() / name; }

  std::unique_ptr<Store> Open(const std::string& name) {
    StoreOptions options;
    options.directory = At(name);
    options.clock = &clock_;
    auto store = Store::Open(std::move(options));
    EXPECT_TRUE(store.ok()) << store.status().text();
    return store.ok() ? *std::move(store) : nullptr;
  }

  // A store "first" with the sagas T0 to T9 (events 2 to 11), T0 under the token it returns.
  std::uint64_t Fill() {
    auto store = Open("first");
    for (int i = 0; i < 10; ++i) {
      EXPECT_EQ(Summary(store->Plan(fmt::format("T{}", i)).Get()), "ok");
    }
    const Reply leased = store->Acquire("T0", AcquireBy("w")).Get();
    EXPECT_EQ(Summary(leased), "ok");
    EXPECT_TRUE(store->Close().ok());
    return leased.ok() ? leased.answer().token : 0;
  }

  // Flips a byte of the saga's plan, which is in the write-ahead log.
  void DamagePlanOf(const std::string& saga) {
    for (const auto& [name, bytes] : Snapshot(At("first") / "log")) {
      const std::size_t at = bytes.find(saga);
      if (name.ends_with(".log") && at != std::string::npos) {
        FlipByte(At("first") / "log" / name, at);
      }
    }
  }

  Result<SalvageReport> Salvage(const std::string& to) {
    SalvageOptions options;
    options.damaged = At("first");
    options.directory = At(to);
    options.clock = &clock_;
    return SalvageStore(options);
  }

  ScratchDirectory scratch_;
  ManualClock clock_;
};

TEST_F(Salvaging, MakesAStoreOfWhatStandsBeforeTheDamage) {
  const std::uint64_t lost = Fill();
  DamagePlanOf("T5");
  const auto before = Snapshot(At("first"));
  const auto report = Salvage("second");
  ASSERT_TRUE(report.ok()) << report.status().text();
  EXPECT_EQ(Snapshot(At("first")), before) << "not one byte";
  EXPECT_THAT(report->damage, HasSubstr("event"));
  auto second = Open("second");
  const std::uint64_t size = report->store.old_size;
  ASSERT_GE(size, 1U);
  ASSERT_LT(size, 7U) << "event 7 is the plan of T5";
  for (int i = 0; i < 10; ++i) {
    const bool saved = static_cast<std::uint64_t>(i) + 2 <= size;
    EXPECT_EQ(second->Find(fmt::format("T{}", i)).ok(), saved) << i;
  }
  EXPECT_GT(report->store.next_token.value(), lost);
  const auto event = second->log().Read(report->store.last);
  ASSERT_TRUE(event.ok());
  ASSERT_NE((*event)->body_as_StoreRestored(), nullptr);
  EXPECT_EQ((*event)->body_as_StoreRestored()->old_size(), size);
  const auto verified = second->Verify();
  ASSERT_TRUE(verified.ok());
  EXPECT_EQ(verified->broken, "");
}

TEST_F(Salvaging, ATokenOfWhatIsLostIsRefusedEverywhere) {
  const std::uint64_t lost = Fill();
  DamagePlanOf("T9");
  for (const char* name : {"second", "third"}) {
    const auto report = Salvage(name);
    ASSERT_TRUE(report.ok()) << report.status().text();
    auto store = Open(name);
    if (!store->Find("T0").ok()) {
      ASSERT_EQ(Summary(store->Plan("T0").Get()), "ok");
    }
    const Reply leased = store->Acquire("T0", AcquireBy("w")).Get();
    ASSERT_EQ(Summary(leased), "ok");
    EXPECT_GT(leased.answer().token, lost);
    commands::CompleteT complete;
    complete.token = lost;
    EXPECT_EQ(Summary(store->Complete("T0", std::move(complete)).Get()), "stale_token");
    clock_.Advance(std::chrono::seconds(1));
  }
}

TEST_F(Salvaging, LeavesAWholeLogAlone) {
  Fill();
  const auto report = Salvage("second");
  EXPECT_EQ(report.status().code(), Code::kInvalidArgument);
  EXPECT_THAT(report.status().text(), HasSubstr("nothing to salvage"));
  EXPECT_FALSE(fs::exists(At("second")));
}

TEST_F(Salvaging, WritesIntoNoStoreAndNotIntoTheDamagedOne) {
  Fill();
  DamagePlanOf("T5");
  const auto before = Snapshot(At("first"));
  EXPECT_EQ(Salvage("first").status().code(), Code::kInvalidArgument);
  EXPECT_EQ(Salvage("first/inside").status().code(), Code::kInvalidArgument);
  EXPECT_EQ(Snapshot(At("first")), before);
  Open("other");
  EXPECT_THAT(Salvage("other").status().text(), HasSubstr("holds a store already"));
}

// A full disk, or anything else that ends it: whoever opens the directory is told how to begin
// again.
TEST_F(Salvaging, ThatWasNotFinishedSaysHowToBeginAgain) {
  Fill();
  DamagePlanOf("T5");
  DiskFaults disk;
  disk.FailFrom(0);
  SalvageOptions options;
  options.damaged = At("first");
  options.directory = At("second");
  options.clock = &clock_;
  options.faults = &disk;
  ASSERT_FALSE(SalvageStore(options).ok());
  StoreOptions opening;
  opening.directory = At("second");
  opening.clock = &clock_;
  const auto opened = Store::Open(std::move(opening));
  ASSERT_FALSE(opened.ok());
  EXPECT_THAT(opened.status().text(),
              HasSubstr(fmt::format("sagalog doctor --data {} --salvage {}", At("first").string(),
                                    At("second").string())));
  ASSERT_TRUE(Salvage("second").ok());
  EXPECT_NE(Open("second"), nullptr);
}

TEST_F(Salvaging, WhereNothingStandsBeforeTheDamageMakesNoStore) {
  Fill();
  for (const auto& [name, bytes] : Snapshot(At("first") / "log")) {
    if (name.ends_with(".sst") || name.ends_with(".log")) {
      WriteFile(At("first") / "log" / name, "");
    }
  }
  const auto report = Salvage("second");
  EXPECT_EQ(report.status().code(), Code::kCorruption) << "nothing is left";
  EXPECT_FALSE(fs::exists(At("second")));
}

}  // namespace
}  // namespace sagalog
