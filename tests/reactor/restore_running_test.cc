// A backup that is taken while workers go on, restored twice while they still do: no token of what
// was lost is ever accepted again.
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "reactor/restore.h"
#include "tests/eventlog/scratch_directory.h"
#include "tests/reactor/store_on_disk.h"

namespace sagalog {
namespace {

namespace fs = std::filesystem;

constexpr int kWorkers = 3;
constexpr int kBefore = 40;
constexpr int kAfter = 60;

struct Grant {
  std::string saga;
  std::uint64_t token = 0;
};

class RestoringARunningStore : public testing::Test {
 protected:
  fs::path At(const std::string& name) const { return scratch_.path() / name; }

  static std::unique_ptr<Store> Open(const fs::path& directory) {
    StoreOptions options;
    options.directory = directory;
    auto store = Store::Open(std::move(options));
    EXPECT_TRUE(store.ok()) << store.status().text();
    return store.ok() ? *std::move(store) : nullptr;
  }

  // Acquires its own saga, beats, releases, and again.
  void Work(Store& store, int worker) {
    const std::string saga = fmt::format("T{}", worker);
    while (!stop_) {
      const Reply leased = store.Acquire(saga, AcquireBy(fmt::format("w{}", worker))).Get();
      if (!leased.ok()) {
        continue;
      }
      commands::ReleaseT release;
      release.token = leased.answer().token;
      release.reason = "again";
      const Reply released = store.Release(saga, std::move(release)).Get();
      EXPECT_EQ(Summary(released), "ok");
      const std::lock_guard lock(mutex_);
      grants_.push_back({saga, leased.answer().token});
    }
  }
  std::size_t CountGrants() {
    const std::lock_guard lock(mutex_);
    return grants_.size();
  }
  void AwaitGrants(std::size_t more) {
    for (const std::size_t wanted = CountGrants() + more; CountGrants() < wanted;) {
      std::this_thread::yield();
    }
  }

  Result<RestoreReport> Restore(const std::string& to) {
    RestoreOptions options;
    options.backup = At("backups");
    options.directory = At(to);
    return RestoreStore(options);
  }

  ScratchDirectory scratch_;
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::vector<Grant> grants_;
};

TEST_F(RestoringARunningStore, AcceptsNoTokenOfAnyLostFuture) {
  const auto first = Open(At("first"));
  for (int i = 0; i < kWorkers; ++i) {
    ASSERT_EQ(Summary(first->Plan(fmt::format("T{}", i)).Get()), "ok");
  }
  std::vector<std::thread> workers;
  for (int i = 0; i < kWorkers; ++i) {
    workers.emplace_back([this, &first, i] { Work(*first, i); });
  }
  AwaitGrants(kBefore);
  BackupOptions backup;
  backup.directory = At("backups");
  const auto made = first->Backup(backup);
  EXPECT_TRUE(made.ok()) << made.status().text();
  AwaitGrants(kAfter);
  // The lost store goes on while the others are restored.
  std::vector<std::unique_ptr<Store>> restored;
  std::vector<Token> next;
  for (const char* name : {"second", "third"}) {
    const auto report = Restore(name);
    EXPECT_TRUE(report.ok()) << report.status().text();
    if (report.ok()) {
      next.push_back(report->next_token);
      restored.push_back(Open(At(name)));
    }
  }
  AwaitGrants(kAfter);
  stop_ = true;
  for (std::thread& worker : workers) {
    worker.join();
  }
  ASSERT_EQ(restored.size(), 2U);
  EXPECT_LT(next[0], next[1]) << "the two futures of one backup share no token";
  std::set<std::uint64_t> seen;
  for (const Grant& grant : grants_) {
    EXPECT_TRUE(seen.insert(grant.token).second) << grant.token;
    EXPECT_LT(grant.token, next[0].value());
  }
  for (const auto& store : restored) {
    // Whoever holds it now, by a new token.
    for (int i = 0; i < kWorkers; ++i) {
      const std::string saga = fmt::format("T{}", i);
      commands::ForceReleaseT release;
      release.reason = "restored";
      static_cast<void>(store->ForceRelease(saga, std::move(release)).Get());
      const Reply leased = store->Acquire(saga, AcquireBy("new")).Get();
      ASSERT_EQ(Summary(leased), "ok");
      EXPECT_TRUE(seen.insert(leased.answer().token).second);
    }
    for (const Grant& grant : grants_) {
      commands::CompleteT complete;
      complete.token = grant.token;
      ASSERT_EQ(Summary(store->Complete(grant.saga, std::move(complete)).Get()), "stale_token")
          << grant.token;
    }
    const auto verified = store->Verify();
    ASSERT_TRUE(verified.ok());
    EXPECT_EQ(verified->broken, "");
  }
}

}  // namespace
}  // namespace sagalog
