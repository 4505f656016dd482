// A restored store is a new lineage: nothing of the lost future is accepted by it.
#include "reactor/restore.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eventlog/backup_directory.h"
#include "eventlog/memory_log.h"
#include "tests/eventlog/scratch_directory.h"
#include "tests/reactor/store_on_disk.h"

namespace sagalog {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// Stores in directories, under one manual clock.
class Restoring : public testing::Test {
 protected:
  Restoring() : clock_(*ParseTime("2026-11-21T14:00:00Z")) {}

  fs::path At(const std::string& name) const { return scratch_.path() / name; }

  std::unique_ptr<Store> Open(const std::string& name,
                              schema::OpenMode mode = schema::OpenMode::session) {
    StoreOptions options;
    options.directory = At(name);
    options.clock = &clock_;
    options.mode = mode;
    auto store = Store::Open(std::move(options));
    EXPECT_TRUE(store.ok()) << store.status().text();
    return store.ok() ? *std::move(store) : nullptr;
  }

  Result<RestoreReport> Restore(const std::string& from, const std::string& to,
                                DiskFaults* faults = nullptr) {
    RestoreOptions options;
    options.backup = At(from);
    options.directory = At(to);
    options.clock = &clock_;
    options.faults = faults;
    return RestoreStore(options);
  }

  static std::uint64_t Acquire(Store& store, std::string_view saga) {
    const Reply reply = store.Acquire(saga, AcquireBy("w")).Get();
    EXPECT_EQ(Summary(reply), "ok");
    return reply.ok() ? reply.answer().token : 0;
  }
  static std::string Complete(Store& store, std::string_view saga, std::uint64_t token) {
    commands::CompleteT complete;
    complete.token = token;
    return Summary(store.Complete(saga, std::move(complete)).Get());
  }
  static void Plan(Store& store, std::string_view saga) {
    ASSERT_EQ(Summary(store.Plan(saga).Get()), "ok");
  }
  static Status Backup(Store& store, const fs::path& directory) {
    BackupOptions options;
    options.directory = directory;
    return store.Backup(options).status();
  }

  // A store "first" with one planned saga "a" and a backup of that in "backups".
  std::unique_ptr<Store> BackedUp() {
    auto store = Open("first");
    Plan(*store, "a");
    const Status made = Backup(*store, At("backups"));
    EXPECT_TRUE(made.ok()) << made.text();
    return store;
  }

  ScratchDirectory scratch_;
  ManualClock clock_;
};

TEST_F(Restoring, BringsBackWhatTheBackupHolds) {
  auto first = BackedUp();
  Plan(*first, "b");
  const auto report = Restore("backups", "second");
  ASSERT_TRUE(report.ok()) << report.status().text();
  EXPECT_EQ(report->store_id, first->Describe().store_id);
  EXPECT_EQ(report->old_size, 2U);
  EXPECT_EQ(report->last, Sequence(3));
  auto second = Open("second");
  EXPECT_TRUE(second->Find("a").ok());
  EXPECT_EQ(second->Find("b").status().code(), Code::kNotFound);
  const auto event = second->log().Read(Sequence(3));
  ASSERT_TRUE(event.ok());
  const events::StoreRestored* restored = (**event).body_as_StoreRestored();
  ASSERT_NE(restored, nullptr);
  EXPECT_EQ(restored->lineage()->string_view(), report->lineage);
  EXPECT_EQ(restored->old_size(), 2U);
  EXPECT_EQ(restored->old_root()->string_view(), report->old_root);
  EXPECT_EQ(second->Describe().token_offset, restored->token_offset());
  const auto verified = second->Verify();
  ASSERT_TRUE(verified.ok());
  EXPECT_EQ(verified->broken, "");
}

TEST_F(Restoring, AcceptsNoTokenOfTheLostFuture) {
  auto first = BackedUp();
  const std::uint64_t lost = Acquire(*first, "a");
  ASSERT_TRUE(Restore("backups", "second").ok());
  auto second = Open("second");
  EXPECT_EQ(Complete(*second, "a", lost), "stale_token");
  const std::uint64_t token = Acquire(*second, "a");
  EXPECT_GT(token, lost);
  EXPECT_EQ(Complete(*second, "a", lost), "stale_token");
  EXPECT_EQ(Complete(*second, "a", token), "ok");
}

TEST_F(Restoring, GrantsTokensFromTheSecondOfTheRestoreOn) {
  BackedUp();
  const auto report = Restore("backups", "second");
  ASSERT_TRUE(report.ok());
  const auto seconds = static_cast<std::uint64_t>(ToMicros(clock_.Read().wall) / 1'000'000);
  EXPECT_EQ(report->next_token.value(), seconds << 21);
  auto second = Open("second");
  const std::uint64_t token = Acquire(*second, "a");
  const std::uint64_t last = second->log().Last().value();
  EXPECT_EQ(token, last + second->Describe().token_offset);
  EXPECT_GE(token, seconds << 21);
  EXPECT_LT(token, 1ULL << 53);
  // The same after a fold from zero.
  ASSERT_TRUE(second->Rebuild().ok());
  EXPECT_EQ(Complete(*second, "a", token), "ok");
}

TEST_F(Restoring, OfOneBackupTwiceGivesTwoLineagesAndNoTokenTwice) {
  BackedUp();
  const auto one = Restore("backups", "one");
  ASSERT_TRUE(one.ok());
  std::vector<std::uint64_t> of_one;
  auto store = Open("one");
  of_one.push_back(Acquire(*store, "a"));
  for (int i = 0; i < 100; ++i) {
    const std::string saga = "b" + std::to_string(i);
    Plan(*store, saga);
    of_one.push_back(Acquire(*store, saga));
  }
  clock_.Advance(std::chrono::milliseconds(1));  // well within the same second
  const auto two = Restore("backups", "two");
  ASSERT_TRUE(two.ok());
  EXPECT_NE(one->lineage, two->lineage);
  EXPECT_EQ(one->old_root, two->old_root);
  store = Open("two");
  EXPECT_EQ(Complete(*store, "a", of_one.front()), "stale_token");
  EXPECT_GT(Acquire(*store, "a"), of_one.back());
}

// The clock was fast when the backup was made, and was put right before both restores.
TEST_F(Restoring, OfOneBackupTwiceGivesNoTokenTwiceThoughTheClockWasSetBack) {
  BackedUp();
  clock_.StepWall(-std::chrono::hours(48));
  const auto one = Restore("backups", "one");
  ASSERT_TRUE(one.ok());
  auto store = Open("one");
  const std::uint64_t token = Acquire(*store, "a");
  store.reset();
  clock_.Advance(std::chrono::seconds(1));
  const auto two = Restore("backups", "two");
  ASSERT_TRUE(two.ok());
  EXPECT_NE(one->next_token, two->next_token);
  store = Open("two");
  Acquire(*store, "a");
  EXPECT_EQ(Complete(*store, "a", token), "stale_token");
}

TEST_F(Restoring, NeverGoesBackWhenTheClockDoes) {
  BackedUp();
  const auto one = Restore("backups", "one");
  ASSERT_TRUE(one.ok());
  auto store = Open("one");
  const std::uint64_t token = Acquire(*store, "a");
  ASSERT_TRUE(Backup(*store, At("later")).ok());
  store.reset();
  clock_.StepWall(-std::chrono::hours(24 * 300));
  const auto two = Restore("later", "two");
  ASSERT_TRUE(two.ok()) << two.status().text();
  EXPECT_GT(two->next_token.value(), token);
}

TEST_F(Restoring, KeepsCompensationsClaimsAndAnswersToRequests) {
  auto first = Open("first");
  commands::PlanT plan;
  plan.key = "k";
  const CallOptions request = Requested(7);
  ASSERT_EQ(Summary(first->Plan("a", plan, request).Get()), "ok");
  const Reply acquired = first->Acquire("a", AcquireBy("w"), Requested(8)).Get();
  ASSERT_EQ(Summary(acquired), "ok");
  ASSERT_TRUE(Backup(*first, At("backups")).ok());
  ASSERT_TRUE(Restore("backups", "second").ok());
  auto second = Open("second");
  EXPECT_EQ(Summary(second->Plan("a", plan, Requested(7)).Get()), "ok:replayed");
  const Reply replayed = second->Acquire("a", AcquireBy("w"), Requested(8)).Get();
  EXPECT_EQ(Summary(replayed), "ok:replayed");
  EXPECT_EQ(replayed.answer().token, acquired.answer().token) << "granted before the backup";
  EXPECT_EQ(Complete(*second, "a", acquired.answer().token), "ok") << "its lease lives";
}

TEST_F(Restoring, IsAReturnAfterAnAbsenceAlsoForOneShots) {
  auto first = Open("first", schema::OpenMode::one_shot);
  Plan(*first, "a");
  Acquire(*first, "a");  // for 60 s
  ASSERT_TRUE(Backup(*first, At("backups")).ok());
  clock_.Advance(std::chrono::hours(1));
  ASSERT_TRUE(Restore("backups", "second").ok());
  auto second = Open("second", schema::OpenMode::one_shot);
  const auto stale = [&second] {
    const auto saga = second->Find("a");
    EXPECT_TRUE(saga.ok());
    return saga->stale.empty()
               ? std::string()
               : std::string(schema::EnumNameStaleReason(saga->stale.front()->reason));
  };
  EXPECT_EQ(stale(), "in_grace");
  clock_.Advance(std::chrono::seconds(31));
  EXPECT_EQ(stale(), "lease_expired");
}

TEST_F(Restoring, TakesTheNewestBackupOrTheOneThatIsNamed) {
  auto first = BackedUp();
  Plan(*first, "b");
  ASSERT_TRUE(Backup(*first, At("backups")).ok());
  ASSERT_TRUE(Restore("backups", "newest").ok());
  EXPECT_TRUE(Open("newest")->Find("b").ok());
  ASSERT_TRUE(Restore("backups/000001", "older").ok());
  EXPECT_FALSE(Open("older")->Find("b").ok());
}

TEST_F(Restoring, RefusesADirectoryThatHoldsAStore) {
  BackedUp();
  auto report = Restore("backups", "first");
  EXPECT_EQ(report.status().code(), Code::kInvalidArgument);
  EXPECT_THAT(report.status().text(), HasSubstr("holds a store already"));
  auto running = Open("first");
  EXPECT_EQ(Restore("backups", "first").status().code(), Code::kLocked);
}

TEST_F(Restoring, RefusesWhatIsNoBackup) {
  BackedUp();
  EXPECT_EQ(Restore("first", "second").status().code(), Code::kNotFound);
  EXPECT_EQ(Restore("nowhere", "second").status().code(), Code::kNotFound);
  EXPECT_FALSE(fs::exists(At("second")));
}

TEST_F(Restoring, RefusesAClockFarAheadUnlessItIsAccepted) {
  BackedUp();
  clock_.StepWall(std::chrono::hours(24 * 365 * 73));
  EXPECT_EQ(Restore("backups", "second").status().code(), Code::kInvalidArgument);
  RestoreOptions options;
  options.backup = At("backups");
  options.directory = At("second");
  options.clock = &clock_;
  options.accept_clock = true;
  EXPECT_TRUE(RestoreStore(options).ok());
}

TEST_F(Restoring, NamesTheDamagedFileAndEvent) {
  auto first = BackedUp();
  const fs::path wal = NewestFile(At("backups") / "000001" / "log", ".log");
  FlipByte(wal, ReadFile(wal).size() / 2);
  const auto report = Restore("backups", "second");
  EXPECT_EQ(report.status().code(), Code::kCorruption);
  EXPECT_THAT(report.status().text(), HasSubstr(wal.filename().string()));
  EXPECT_THAT(report.status().text(), HasSubstr("event "));
  // Nobody takes the directory for a new store by mistake.
  StoreOptions options;
  options.directory = At("second");
  options.clock = &clock_;
  EXPECT_THAT(Store::Open(std::move(options)).status().text(), HasSubstr("not finished"));
  FlipByte(wal, ReadFile(wal).size() / 2);
  EXPECT_TRUE(Restore("backups", "second").ok()) << "the same again, with the backup mended";
  EXPECT_TRUE(Open("second")->Find("a").ok());
}

// At whatever step the disk fails: no store, and the next attempt succeeds.
TEST_F(Restoring, FailingAtAnyStepLeavesNoHalfStore) {
  BackedUp();
  for (std::uint64_t step = 0;; ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    const std::string name = "store" + std::to_string(step);
    DiskFaults faults;
    faults.FailFrom(step, DiskFaults::Kind::kNoSpace);
    const auto failing = Restore("backups", name, &faults);
    if (!faults.fired()) {
      EXPECT_TRUE(failing.ok());
      EXPECT_GT(step, 10U) << "the faults must have reached the restore";
      break;
    }
    if (!failing.ok()) {
      StoreOptions options;
      options.directory = At(name);
      options.clock = &clock_;
      const auto opened = Store::Open(std::move(options));
      if (opened.ok()) {
        EXPECT_TRUE((*opened)->Find("a").ok()) << "only a whole one opens";
        continue;
      }
      const auto again = Restore("backups", name);
      ASSERT_TRUE(again.ok()) << again.status().text();
    }
    ASSERT_TRUE(Open(name)->Find("a").ok());
  }
}

// The same for a log in memory.
TEST(BeginLineage, RaisesTheTokensOfALogInMemory) {
  StoreOnDisk store;
  store.Plan("a");
  MemoryDisk backup;
  store.disk->CopyTo(backup);
  const std::uint64_t lost = store.Acquire("a");
  store.Kill();
  backup.CopyTo(*store.disk);
  {
    const auto log = MemoryLog::Open(*store.disk);
    ASSERT_TRUE(log.ok());
    const auto report = BeginLineage(**log, store.clock, false);
    ASSERT_TRUE(report.ok()) << report.status().text();
    EXPECT_EQ(report->last, Sequence(3));
  }
  store.Reopen();
  EXPECT_EQ(store.Events(), "store_opened planned store_restored store_opened");
  EXPECT_EQ(Summary(store.Complete("a", lost)), "stale_token");
  EXPECT_GT(store.Acquire("a"), lost);
}

}  // namespace
}  // namespace sagalog
