// A backup where it lies: read by everybody, written by nobody.
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/cli_directory.h"

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

}  // namespace
}  // namespace sagalog
