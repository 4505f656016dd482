// kill -9 in the middle of backups and compactions: the store is whole, no event is lost or half
// there, and no backup that was cut off passes for one.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "eventlog/backup_directory.h"
#include "eventlog/log_copy.h"
#include "reactor/restore.h"
#include "reactor/store.h"
#include "tests/crash/killed_child.h"

namespace sagalog {
namespace {

namespace fs = std::filesystem;

constexpr int kRounds = 12;
// Told instead of a sequence.
constexpr std::uint64_t kBackupTaken = 0;

bool Tell(int told_fd, std::uint64_t word) {
  return ::write(told_fd, &word, sizeof word) == sizeof word;
}

// Heartbeats in bursts, each told when it was acknowledged.
void Beat(Store& store, std::uint64_t token, int told_fd) {
  for (;;) {
    commands::HeartbeatT heartbeat;
    heartbeat.token = token;
    heartbeat.progress = "on the way";
    const Reply reply = store.Heartbeat("T", std::move(heartbeat)).Get();
    const std::uint64_t sequence = reply.ok() ? reply.answer().sequence : 0;
    if (sequence == 0 || !Tell(told_fd, sequence)) {
      return;
    }
  }
}

[[noreturn]] void RunChild(const ChildTask& task) {
  StoreOptions options;
  options.directory = task.directory / "data";
  options.checkpoint_events = 50;
  auto store = Store::Open(std::move(options));
  if (!store.ok()) {
    EndChild(1, store.status().text());
  }
  static_cast<void>((*store)->Plan("T").Get());
  commands::ForceReleaseT release;
  release.reason = "the process before was killed";
  static_cast<void>((*store)->ForceRelease("T", release).Get());
  commands::AcquireT acquire;
  acquire.owner = std::make_unique<schema::OwnerT>();
  acquire.owner->owner = "w";
  const Reply acquired = (*store)->Acquire("T", std::move(acquire)).Get();
  if (!acquired.ok()) {
    EndChild(2, acquired.refusal().detail);
  }
  std::thread worker([&] { Beat(**store, acquired.answer().token, task.told_fd); });
  for (;;) {
    CompactOptions compact;
    compact.older_than = Duration(0);
    BackupOptions backup;
    backup.directory = task.directory / "backups";
    backup.keep = 2;
    const auto compacted = (*store)->Compact(compact);
    if (!compacted.ok()) {
      EndChild(3, compacted.status().text());
    }
    const auto copied = (*store)->Backup(backup);
    if (!copied.ok() || !Tell(task.told_fd, kBackupTaken)) {
      EndChild(4, copied.status().text());
    }
  }
}

class KilledKeeping : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto task = TaskOfThisChild()) {
      RunChild(*task);
    }
    std::string pattern = (fs::temp_directory_path() / "sagalog-keep-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { fs::remove_all(directory_); }

  // The last sequence that the child told of before it was killed, after so many heartbeats and
  // backups.
  std::uint64_t BeatAndKill(std::size_t beats_before, std::size_t backups_before) {
    std::uint64_t last = 0;
    std::size_t beats = 0;
    std::size_t backups = 0;
    RunAndKill("-", directory_, [&](int fd, pid_t child) {
      std::uint64_t told = 0;
      if (::read(fd, &told, sizeof told) != sizeof told) {
        return false;
      }
      last = std::max(last, told);
      ++(told == kBackupTaken ? backups : beats);
      if (beats >= beats_before && backups >= backups_before) {
        ::kill(child, SIGKILL);
      }
      return true;
    });
    return last;
  }

  fs::path directory_;
};

TEST_F(KilledKeeping, LeavesTheStoreAndItsBackupsWhole) {
  std::mt19937 random(20261121);
  for (int round = 0; round < kRounds; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    // At the latest in the last round a backup is whole, however fast or slow the machine is.
    const bool is_last = round + 1 == kRounds;
    const std::uint64_t told = BeatAndKill(1 + random() % 300, is_last ? 1 : random() % 2);
    StoreOptions options;
    options.directory = directory_ / "data";
    auto store = Store::Open(std::move(options));
    ASSERT_TRUE(store.ok()) << store.status().text();
    EXPECT_GE((*store)->log().Last().value(), told);
    const auto report = (*store)->Verify();
    ASSERT_TRUE(report.ok()) << report.status().text();
    ASSERT_EQ(report->broken, "");
    for (const fs::path& backup : BackupDirectory::List(directory_ / "backups")) {
      const auto verified = VerifyLogCopy(backup);
      EXPECT_TRUE(verified.ok()) << backup << ": " << verified.status().text();
    }
    ASSERT_TRUE((*store)->Close().ok());
  }
  ASSERT_FALSE(BackupDirectory::List(directory_ / "backups").empty());
  RestoreOptions restore;
  restore.backup = directory_ / "backups";
  restore.directory = directory_ / "restored";
  const auto restored = RestoreStore(restore);
  EXPECT_TRUE(restored.ok()) << restored.status().text();
}

}  // namespace
}  // namespace sagalog
