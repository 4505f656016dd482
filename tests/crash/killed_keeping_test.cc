// kill -9 in the middle of backups and compactions: the store is whole, no event is lost or half
// there, and no backup that was cut off passes for one.
#include <signal.h>
#include <sys/wait.h>
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

namespace sagalog {
namespace {

namespace fs = std::filesystem;

constexpr int kRounds = 12;

// Heartbeats in bursts, each told when it was acknowledged: the version of the saga.
void Beat(Store& store, std::uint64_t token, int told_fd) {
  for (;;) {
    commands::HeartbeatT heartbeat;
    heartbeat.token = token;
    heartbeat.progress = "on the way";
    const Reply reply = store.Heartbeat("T", std::move(heartbeat)).Get();
    const std::uint64_t sequence = reply.ok() ? reply.answer().sequence : 0;
    if (sequence == 0 || ::write(told_fd, &sequence, sizeof sequence) != sizeof sequence) {
      return;
    }
  }
}

[[noreturn]] void RunChild(const fs::path& directory, int told_fd) {
  StoreOptions options;
  options.directory = directory / "data";
  options.checkpoint_events = 50;
  auto store = Store::Open(std::move(options));
  if (!store.ok()) {
    ::_exit(1);
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
    ::_exit(1);
  }
  std::thread worker([&] { Beat(**store, acquired.answer().token, told_fd); });
  for (;;) {
    CompactOptions compact;
    compact.older_than = Duration(0);
    BackupOptions backup;
    backup.directory = directory / "backups";
    backup.keep = 2;
    if (!(*store)->Compact(compact).ok() || !(*store)->Backup(backup).ok()) {
      ::_exit(3);
    }
  }
}

class KilledKeeping : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "sagalog-keep-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { fs::remove_all(directory_); }

  // The last sequence that the child told of before it was killed.
  std::uint64_t RunAndKill(std::size_t kill_after) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(ends[0]);
      RunChild(directory_, ends[1]);
    }
    ::close(ends[1]);
    std::uint64_t last = 0;
    std::uint64_t sequence = 0;
    std::size_t told = 0;
    while (::read(ends[0], &sequence, sizeof sequence) == sizeof sequence) {
      last = std::max(last, sequence);
      if (++told == kill_after) {
        ::kill(child, SIGKILL);
      }
    }
    ::close(ends[0]);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status)) << "exit " << WEXITSTATUS(status);
    return last;
  }

  fs::path directory_;
};

TEST_F(KilledKeeping, LeavesTheStoreAndItsBackupsWhole) {
  std::mt19937 random(20261121);
  for (int round = 0; round < kRounds; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    const std::uint64_t told = RunAndKill(1 + random() % 300);
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
