// Backups of a log: whole, verified, and none at all when something goes wrong.
#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eventlog/backup_directory.h"
#include "eventlog/backup_manifest.h"
#include "eventlog/crc32c.h"
#include "eventlog/log_copy.h"
#include "eventlog/log_maintenance.h"
#include "eventlog/rocks_log.h"
#include "tests/eventlog/sample_events.h"
#include "tests/eventlog/scratch_directory.h"

namespace sagalog {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class LogBackups : public testing::Test {
 protected:
  void SetUp() override { Open(); }

  void Open() {
    log_.reset();
    fs::create_directories(source());
    auto log = RocksLog::Open(source(), {.write_buffer_bytes = 1U << 20, .faults = &faults_});
    ASSERT_TRUE(log.ok()) << log.status().text();
    log_ = *std::move(log);
  }

  fs::path source() const { return scratch_.path() / "data"; }
  fs::path backups() const { return scratch_.path() / "backups"; }

  void Append(int batches, std::size_t events = 50) {
    for (int i = 0; i < batches; ++i) {
      ASSERT_TRUE(AppendAll(*log_, samples_.Batch(events)).ok());
    }
  }
  // Many events in tables of their own.
  void AppendTables() {
    for (int i = 0; i < 3; ++i) {
      std::vector<std::string> events;
      for (int j = 0; j < 100; ++j) {
        events.push_back(samples_.Next("a", std::string(12'000, 'x')));
      }
      ASSERT_TRUE(AppendAll(*log_, events).ok());
    }
  }

  Result<LogBackup> Backup(const std::string& origin = "store-1", std::size_t keep = 3) {
    LogBackupOptions options;
    options.directory = backups();
    options.origin = origin;
    options.keep = keep;
    return log_->Maintenance()->Backup(options);
  }

  static std::vector<std::string> EventsIn(const fs::path& backup) {
    const auto log = RocksLog::Open(backup, {.mode = LogMode::kReadOnly});
    EXPECT_TRUE(log.ok()) << log.status().text();
    EXPECT_TRUE((*log)->Health().ok());
    const auto events = ReadAll(**log);
    EXPECT_TRUE(events.ok());
    return *events;
  }

  ScratchDirectory scratch_;
  DiskFaults faults_;
  SampleEvents samples_;
  std::unique_ptr<RocksLog> log_;
};

TEST_F(LogBackups, HoldsAllEventsAndHeadAndNothingElse) {
  Append(10);
  WriteFile(source() / "LOCK", "sagalog\n");
  fs::create_directories(source() / "audit");
  WriteFile(source() / "audit" / "key", "secret");
  const auto made = Backup();
  ASSERT_TRUE(made.ok()) << made.status().text();
  EXPECT_EQ(made->last, Sequence(500));
  EXPECT_EQ(EventsIn(made->path), *ReadAll(*log_));
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(made->path)) {
    names.push_back(entry.path().filename().string());
  }
  EXPECT_THAT(names, testing::UnorderedElementsAre("BACKUP", "HEAD", "log"));
}

TEST_F(LogBackups, ShareWhatDidNotChange) {
  AppendTables();
  ASSERT_TRUE(log_->Maintenance()->Settle().ok());  // all of it in tables
  const auto first = Backup();
  ASSERT_TRUE(first.ok()) << first.status().text();
  EXPECT_EQ(first->copied_bytes, first->size_bytes);
  Append(1);
  const auto second = Backup();
  ASSERT_TRUE(second.ok()) << second.status().text();
  EXPECT_LT(second->copied_bytes, second->size_bytes / 2);
  EXPECT_EQ(EventsIn(second->path), *ReadAll(*log_));
  EXPECT_EQ(EventsIn(first->path).size(), 300U) << "the one before is as it was";
}

// The disk that backups are on has lost a byte since: of one that is read with its event, and of
// one that no event lies on.
TEST_F(LogBackups, ARottenFileOfTheOneBeforeIsCopiedAnew) {
  AppendTables();
  ASSERT_TRUE(log_->Maintenance()->Settle().ok());
  for (const std::size_t from_end : {std::size_t{20}, std::size_t{100'000}}) {
    const auto first = Backup("store-1", 100);
    ASSERT_TRUE(first.ok()) << first.status().text();
    const fs::path shared = NewestFile(first->path / "log", ".sst");
    fs::copy_file(shared, scratch_.path() / "whole");  // the inode may be of an older backup
    fs::remove(shared);
    fs::rename(scratch_.path() / "whole", shared);
    FlipByte(shared, fs::file_size(shared) - from_end);
    ASSERT_EQ(CheckBackup(first->path).status().code(), Code::kCorruption);
    const auto second = Backup("store-1", 100);
    ASSERT_TRUE(second.ok()) << second.status().text();
    EXPECT_TRUE(CheckBackup(second->path).ok()) << CheckBackup(second->path).status().text();
    EXPECT_GE(second->copied_bytes, fs::file_size(shared));
    const auto third = Backup("store-1", 100);
    ASSERT_TRUE(third.ok());
    EXPECT_LT(third->copied_bytes, fs::file_size(shared)) << "what is whole is shared again";
  }
}

TEST_F(LogBackups, ALinkInTheOneBeforeIsNotTakenOver) {
  AppendTables();
  ASSERT_TRUE(log_->Maintenance()->Settle().ok());
  const auto first = Backup();
  ASSERT_TRUE(first.ok()) << first.status().text();
  const fs::path shared = NewestFile(first->path / "log", ".sst");
  fs::rename(shared, scratch_.path() / "elsewhere");
  fs::create_symlink(scratch_.path() / "elsewhere", shared);
  EXPECT_THAT(CheckBackup(first->path).status().text(), HasSubstr("is a symbolic link"));
  const auto second = Backup();
  ASSERT_TRUE(second.ok()) << second.status().text();
  EXPECT_TRUE(CheckBackup(second->path).ok());
  const fs::path target = scratch_.path() / "target";
  fs::create_directory(target);
  EXPECT_EQ(CopyBackup(first->path, target, nullptr).status().code(), Code::kCorruption);
}

TEST_F(LogBackups, KeepAsManyAsAskedFor) {
  for (int i = 0; i < 4; ++i) {
    Append(1);
    ASSERT_TRUE(Backup("store-1", 2).ok());
  }
  const auto kept = BackupDirectory::List(backups());
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0].filename(), "000003");
  EXPECT_EQ(kept[1].filename(), "000004");
  EXPECT_EQ(EventsIn(kept[0]).size(), 150U);
}

TEST_F(LogBackups, HoldWhatWasDurableWhenTheyBeganWhileOthersAppend) {
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    while (!stop.load()) {
      Append(1, 7);
    }
  });
  for (int i = 0; i < 5; ++i) {
    const Sequence before = log_->Last();
    const auto made = Backup();
    EXPECT_TRUE(made.ok()) << made.status().text();
    if (made.ok()) {
      EXPECT_GE(made->last, before);
      const auto events = EventsIn(made->path);
      EXPECT_EQ(events.size(), made->last.value());
    }
  }
  stop.store(true);
  writer.join();
  EXPECT_TRUE(log_->Health().ok());
}

TEST_F(LogBackups, RefuseADirectoryOfSomethingElse) {
  Append(1);
  fs::create_directories(backups());
  WriteFile(backups() / "letter.txt", "dear");
  const auto before = Snapshot(scratch_.path() / "backups");
  const auto made = Backup();
  EXPECT_EQ(made.status().code(), Code::kInvalidArgument);
  EXPECT_THAT(made.status().text(), HasSubstr("letter.txt"));
  EXPECT_EQ(Snapshot(backups()), before);
}

TEST_F(LogBackups, RefuseADirectoryOfAnotherStore) {
  Append(1);
  ASSERT_TRUE(Backup("store-1").ok());
  const auto made = Backup("store-2");
  EXPECT_EQ(made.status().code(), Code::kInvalidArgument);
  EXPECT_THAT(made.status().text(), HasSubstr("store-1"));
  EXPECT_EQ(BackupDirectory::List(backups()).size(), 1U);
}

TEST_F(LogBackups, AreMadeOneAtATime) {
  Append(1);
  const auto held = BackupDirectory::Open(backups(), nullptr);
  ASSERT_TRUE(held.ok());
  EXPECT_EQ(Backup().status().code(), Code::kLocked);
}

// At every step of a backup the disk is full from there on: no backup that looks whole, the ones
// before are untouched, and with room again the next one succeeds.
TEST_F(LogBackups, LeaveNothingHalfOnAFullDisk) {
  Append(4);
  ASSERT_TRUE(Backup("store-1", 100).ok());
  const auto before = Snapshot(backups());
  for (std::uint64_t step = 0;; ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    faults_.FailFrom(step, DiskFaults::Kind::kNoSpace);
    const auto made = Backup("store-1", 100);
    const bool reached_the_end = !faults_.fired();
    faults_.Heal();
    if (reached_the_end) {
      EXPECT_TRUE(made.ok());
      EXPECT_GT(step, 10U) << "the faults must have reached the backup";
      break;
    }
    if (made.ok()) {
      continue;  // what failed came after all that counts
    }
    EXPECT_THAT(made.status().text(), HasSubstr("No space left"));
    EXPECT_EQ(Snapshot(backups()).size() % before.size(), 0U);
    for (const fs::path& backup : BackupDirectory::List(backups())) {
      EXPECT_TRUE(VerifyLogCopy(backup).ok()) << backup;
    }
    EXPECT_FALSE(fs::exists(backups() / kUnfinishedBackupName));
    ASSERT_TRUE(log_->Health().ok()) << "the log itself goes on";
  }
  EXPECT_TRUE(Backup("store-1", 100).ok());
}

TEST_F(LogBackups, ClearAwayWhatAnInterruptedOneLeft) {
  Append(1);
  fs::create_directories(backups() / kUnfinishedBackupName / "log");
  WriteFile(backups() / kUnfinishedBackupName / "log" / "000004.log", "half");
  EXPECT_EQ(BackupDirectory::Find(backups()).status().code(), Code::kNotFound);
  const auto made = Backup();
  ASSERT_TRUE(made.ok()) << made.status().text();
  EXPECT_FALSE(fs::exists(backups() / kUnfinishedBackupName));
}

TEST_F(LogBackups, AreNotMadeOfADamagedTable) {
  AppendTables();
  Open();
  const fs::path table = NewestFile(source() / "log", ".sst");
  FlipByte(table, ReadFile(table).size() / 3);
  const auto made = Backup();
  EXPECT_EQ(made.status().code(), Code::kCorruption);
  EXPECT_THAT(made.status().text(), HasSubstr(table.filename().string()));
  EXPECT_TRUE(BackupDirectory::List(backups()).empty());
}

// Every byte of a backup is under a checksum.
TEST_F(LogBackups, ShowEveryDamagedFileByName) {
  Append(2);
  const auto made = Backup();
  ASSERT_TRUE(made.ok());
  const auto manifest = BackupManifest::Read(made->path);
  ASSERT_TRUE(manifest.ok());
  int copies = 0;
  for (const BackupFile& file : manifest->files) {
    const fs::path target = scratch_.path() / ("copy" + std::to_string(copies++));
    fs::create_directory(target);
    FlipByte(made->path / file.name, file.size_bytes / 2);
    const auto copied = CopyBackup(made->path, target, nullptr);
    EXPECT_EQ(copied.status().code(), Code::kCorruption) << file.name;
    EXPECT_THAT(copied.status().text(), HasSubstr(file.name));
    FlipByte(made->path / file.name, file.size_bytes / 2);
  }
  EXPECT_GT(copies, 4);
}

TEST(BackupManifest, IsReadAsItWasWritten) {
  BackupManifest manifest{"store-1", Sequence(43), {{"log/000012.sst", 4096, 0xdeadbeef}}};
  const std::string text = manifest.Encode();
  const auto read = BackupManifest::Parse(text);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->origin, "store-1");
  EXPECT_EQ(read->last, Sequence(43));
  EXPECT_EQ(read->files, manifest.files);
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string damaged = text;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_FALSE(BackupManifest::Parse(damaged).ok()) << "byte " << i;
    EXPECT_FALSE(BackupManifest::Parse(text.substr(0, i)).ok()) << i << " bytes";
  }
}

TEST(BackupManifest, OfANewerFormatIsRefused) {
  const auto read = BackupManifest::Parse("sagalog backup, format 2\nwhatever\n");
  EXPECT_EQ(read.status().code(), Code::kUnsupportedVersion);
}

TEST(BackupManifest, LeadsNowhereElse) {
  for (const char* name : {"/etc/passwd", "../x", "log/../../x"}) {
    const BackupManifest manifest{"s", Sequence(1), {{name, 1, 1}}};
    EXPECT_FALSE(BackupManifest::Parse(manifest.Encode()).ok()) << name;
  }
}

}  // namespace
}  // namespace sagalog
