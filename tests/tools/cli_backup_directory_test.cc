// A backup where it lies: read by everybody, written by nobody.
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/eventlog/scratch_directory.h"
#include "tests/tools/cli_directory.h"
#include "tests/tools/file_size_limit.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

class CliBackupDirectory : public testing::Test {
 protected:
  void SetUp() override {
    directory_.Json({"plan", "T1"});
    directory_.Json({"backup", backups()});
    directory_.Json({"plan", "T2"});
    directory_.Json({"backup", backups()});
  }

  std::string backups() const { return (directory_.root() / "backups").string(); }
  std::string newest() const { return backups() + "/000002"; }
  static CliResult On(const std::string& data, Words words) {
    words.insert(words.begin(), {"--data", data});
    return RunCli(words);
  }

  CliDirectory directory_;
};

TEST_F(CliBackupDirectory, EveryoneWhoWouldWriteIsSentToRestore) {
  for (const Words& words :
       {Words{"plan", "T3"}, Words{"acquire", "T1", "--owner", "w"}, Words{"serve"},
        Words{"rebuild"}, Words{"compact"}, Words{"sweep"}, Words{"cancel", "T1"}}) {
    SCOPED_TRACE(words.front());
    const CliResult refused = On(newest(), words);
    EXPECT_EQ(refused.exit_code, 3) << refused.out;
    EXPECT_THAT(refused.error, AllOf(HasSubstr("backup"), HasSubstr("sagalog restore " + newest()),
                                     Not(HasSubstr("doctor"))));
  }
  EXPECT_EQ(On(newest(), {"run", "--saga", "T1", "--", "true"}).exit_code, 125);
  EXPECT_FALSE(fs::exists(fs::path(newest()) / "LOCK"));
  const CliResult restored =
      RunCli({"restore", backups(), "--data", (directory_.root() / "again").string()});
  EXPECT_EQ(restored.exit_code, 0) << restored.error;
}

TEST_F(CliBackupDirectory, CanBeReadAndSaysThatItIsOne) {
  for (const Words& words : {Words{"ls"}, Words{"show", "T1"}, Words{"history", "T2"},
                             Words{"stale"}, Words{"verify"}, Words{"status"}}) {
    SCOPED_TRACE(words.front());
    const CliResult shown = On(newest(), words);
    EXPECT_EQ(shown.exit_code, 0) << shown.error;
    EXPECT_EQ(shown.error, "");
  }
  EXPECT_THAT(On(newest(), {"status"}).out, HasSubstr("open, a backup, which can only be read"));
  EXPECT_FALSE(fs::exists(fs::path(newest()) / "projections"));
}

TEST_F(CliBackupDirectory, TheFolderOfBackupsIsNoStoreAndNamesThem) {
  for (const Words& words : {Words{"ls"}, Words{"plan", "T3"}, Words{"serve"}}) {
    SCOPED_TRACE(words.front());
    const CliResult refused = On(backups(), words);
    EXPECT_EQ(refused.exit_code, 3);
    EXPECT_THAT(refused.error, AllOf(HasSubstr("is a directory of backups"), HasSubstr(newest()),
                                     HasSubstr("sagalog restore")));
  }
}

TEST_F(CliBackupDirectory, DoctorChecksEveryFileOfIt) {
  const CliResult whole = On(newest(), {"doctor"});
  EXPECT_EQ(whole.exit_code, 0) << whole.out;
  EXPECT_THAT(whole.out, AllOf(HasSubstr("backup: up to sequence "), HasSubstr("restore")));
  // What an unguarded writer would do to it.
  std::ofstream(fs::path(newest()) / "HEAD", std::ios::app) << "more";
  const CliResult damaged = On(newest(), {"doctor"});
  EXPECT_EQ(damaged.exit_code, 3);
  EXPECT_THAT(damaged.out, AllOf(HasSubstr("broken  backup: "), HasSubstr("HEAD has ")));
}

TEST_F(CliBackupDirectory, AnAuditComparesEveryFileOfItToo) {
  const CliResult whole = RunCli({"audit", "verify", backups()});
  EXPECT_EQ(whole.exit_code, 0) << whole.error;
  // No event lies on this byte.
  std::ofstream(fs::path(newest()) / "HEAD", std::ios::app) << "more";
  for (const std::string& path : {backups(), newest()}) {
    const CliResult damaged = RunCli({"audit", "verify", path});
    EXPECT_EQ(damaged.exit_code, 3) << damaged.out;
    EXPECT_THAT(damaged.error, AllOf(HasSubstr(newest()), HasSubstr("HEAD has ")));
  }
}

// Whoever received a backup looks into it with these; none of them may wait for what never comes.
TEST_F(CliBackupDirectory, APipeOrALinkInItIsNamedAndNotWaitedFor) {
  const fs::path table = NewestFile(fs::path(newest()) / "log", ".log");
  const std::string target = (directory_.root() / "again").string();
  const auto expect_named = [&](const fs::path& path, const char* what) {
    for (const Words& words :
         {Words{"audit", "verify", newest()}, Words{"--data", newest(), "doctor"},
          Words{"restore", newest(), "--data", target}, Words{"why", "T1", "--record", newest()}}) {
      SCOPED_TRACE(words.front());
      const CliResult found = RunCli(words);
      EXPECT_EQ(found.exit_code, 3) << found.out;
      if (words.back() != "doctor") {  // to whom it is no data directory at all
        EXPECT_THAT(found.error, AllOf(HasSubstr(path.string()), HasSubstr(what)));
      }
    }
    EXPECT_FALSE(fs::exists(fs::path(target) / "HEAD"));
  };
  for (const fs::path& path : {table, fs::path(newest()) / "HEAD", fs::path(newest()) / "BACKUP"}) {
    SCOPED_TRACE(path);
    const fs::path away = directory_.root() / "away";
    fs::rename(path, away);
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    expect_named(path, "is a pipe");
    fs::remove(path);
    fs::create_symlink(away, path);
    expect_named(path, "is a symbolic link");
    fs::remove(path);
    fs::rename(away, path);
  }
  fs::rename(fs::path(newest()) / "log", directory_.root() / "log-elsewhere");
  fs::create_directory_symlink(directory_.root() / "log-elsewhere", fs::path(newest()) / "log");
  expect_named(fs::path(newest()) / "log", "is a symbolic link");
}

// The store is well, and what holds backups is not.
TEST_F(CliBackupDirectory, AFullDiskIsNoMistakeOfTheCaller) {
  directory_.Json({"annotate", "T1", std::string(16'000, 'x')});
  const auto before = Snapshot(backups());
  {
    const FileSizeLimit full(12'000);
    const CliResult failed = directory_.Run({"backup", backups()});
    EXPECT_EQ(failed.exit_code, 3) << failed.out;
    EXPECT_THAT(failed.error, AllOf(HasSubstr("the backup was not made: cannot write"),
                                    Not(HasSubstr("invalid_argument"))));
  }
  EXPECT_EQ(Snapshot(backups()), before);
  EXPECT_EQ(directory_.Run({"backup", backups()}).exit_code, 0);
}

}  // namespace
}  // namespace sagalog
