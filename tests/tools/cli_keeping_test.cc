// sagalog backup, restore and compact, with a daemon and without.
#include <filesystem>
#include <string>

#include <boost/json/object.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/cli_directory.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// Whether a daemon answers.
class CliKeeping : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) {
      directory_.Serve();
    }
    directory_.Json({"plan", "T1"});
  }

  std::string backups() const { return (directory_.root() / "backups").string(); }
  std::string restored() const { return (directory_.root() / "restored").string(); }

  CliDirectory directory_;
};

TEST_P(CliKeeping, WhatWasBackedUpComesBack) {
  EXPECT_THAT(directory_.Run({"backup", backups()}).out,
              AllOf(StartsWith("ok: "), HasSubstr("backups/000001"), HasSubstr("verified")));
  directory_.Json({"plan", "T2"});
  const std::string lost = directory_.Token({"acquire", "T1", "--owner", "w"});
  const CliResult done = RunCli({"restore", backups(), "--data", restored()});
  EXPECT_EQ(done.exit_code, 0) << done.error;
  EXPECT_THAT(done.out, AllOf(StartsWith("ok: "), HasSubstr("Tokens go on from")));
  const CliResult late = RunCli({"complete", "T1", "--token", lost, "--data", restored()});
  EXPECT_EQ(late.exit_code, 1);
  EXPECT_THAT(late.error, HasSubstr("stale_token"));
  const CliResult gone = RunCli({"show", "T2", "--data", restored()});
  EXPECT_THAT(gone.error, HasSubstr("not_found"));
  const CliResult again = RunCli({"acquire", "T1", "--owner", "w", "--data", restored()});
  EXPECT_EQ(again.exit_code, 0) << again.error;
}

TEST_P(CliKeeping, ABackupCanBeLookedAtWhereItLies) {
  const auto answer = directory_.Json({"backup", backups(), "--keep", "2"});
  const CliResult shown = RunCli({"show", "T1", "--data", Word(answer, "path")});
  EXPECT_EQ(shown.exit_code, 0) << shown.error;
  EXPECT_THAT(shown.out, HasSubstr("planned"));
}

TEST_P(CliKeeping, CompactSaysHowMuchItMadeSmall) {
  const std::string token = directory_.Token({"acquire", "T1", "--owner", "w", "--ttl", "60s"});
  for (const char* ttl : {"61s", "62s", "63s"}) {
    directory_.Json({"heartbeat", "T1", "--token", token, "--ttl", ttl});
  }
  EXPECT_THAT(directory_.Run({"compact"}).out, StartsWith("unchanged: 0 heartbeats"));
  EXPECT_THAT(directory_.Run({"compact", "--older-than", "0s"}).out,
              StartsWith("ok: 2 heartbeats made small"));
  EXPECT_EQ(Word(directory_.Json({"compact", "--older-than", "0s"}), "outcome"), "unchanged");
  EXPECT_EQ(directory_.Run({"verify"}).exit_code, 0);
}

TEST_P(CliKeeping, AReaderHoldsCompactionBackUntilItIsRemoved) {
  const std::string token = directory_.Token({"acquire", "T1", "--owner", "w", "--ttl", "60s"});
  for (const char* ttl : {"61s", "62s", "63s"}) {
    directory_.Json({"heartbeat", "T1", "--token", token, "--ttl", ttl});
  }
  EXPECT_EQ(directory_.Run({"reader"}).out, "no readers\n");
  EXPECT_EQ(directory_.Run({"reader", "mirror", "--position", "5"}).out,
            "ok: mirror reads 5 next\n");
  EXPECT_THAT(directory_.Run({"reader"}).out, HasSubstr("mirror"));
  const auto compacted = directory_.Json({"compact", "--older-than", "0s"});
  EXPECT_EQ(Word(compacted, "stubs"), "1");
  EXPECT_EQ(Word(compacted, "held_by"), "mirror");
  EXPECT_THAT(directory_.Run({"compact", "--older-than", "0s"}).out, HasSubstr("mirror"));
  EXPECT_EQ(directory_.Run({"reader", "mirror", "--remove"}).out, "ok: mirror reads no longer\n");
  EXPECT_EQ(directory_.Run({"reader", "mirror", "--remove"}).exit_code, 1);
  EXPECT_EQ(Word(directory_.Json({"compact", "--older-than", "0s"}), "stubs"), "1");
  EXPECT_EQ(directory_.Run({"reader", "mirror"}).exit_code, 2);
  EXPECT_EQ(directory_.Run({"reader", "--remove"}).exit_code, 2);
}

TEST_P(CliKeeping, EventsGoOnWhereTheirReaderWas) {
  const CliResult first = directory_.Run({"events", "--reader", "mirror"});
  EXPECT_EQ(first.exit_code, 0) << first.error;
  EXPECT_THAT(first.out, HasSubstr("planned T1"));
  EXPECT_EQ(directory_.Run({"events", "--reader", "mirror"}).out, "");
  directory_.Json({"plan", "T2"});
  const CliResult failed = directory_.Run({"events", "--reader", "mirror", "--exec", "/bin/false"});
  EXPECT_EQ(failed.exit_code, 1);
  const CliResult next = directory_.Run({"events", "--reader", "mirror"});
  EXPECT_THAT(next.out, AllOf(HasSubstr("planned T2"), Not(HasSubstr("planned T1"))));
}

// A secret is rarely said once.
TEST_P(CliKeeping, ARedactionNamesWhereElseTheTextStands) {
  directory_.Json({"plan", "SECRETS"});
  const auto say = [&](const std::string& text) {
    return Word(directory_.Json({"annotate", "SECRETS", text}), "sequence");
  };
  const std::string first = say("hunter2-hunter2");
  const std::string second = say("it was hunter2-hunter2 again");
  say("nothing");
  const CliResult one = directory_.Run({"redact", first, "--reason", "a password"});
  EXPECT_EQ(one.exit_code, 0) << one.error;
  EXPECT_THAT(one.out, AllOf(HasSubstr("has lost what it said"),
                             HasSubstr("alike text stands in event " + second + ": redact")));
  const CliResult other = directory_.Run({"redact", second, "--reason", "a password"});
  EXPECT_THAT(other.out, Not(HasSubstr("alike")));
}

TEST_P(CliKeeping, WhereThereIsNothingToTakeOutNothingIsSaid) {
  const std::string before = Word(directory_.Json({"status"}), "last_sequence");
  const CliResult none = directory_.Run({"redact", "1", "--reason", "a password"});
  EXPECT_EQ(none.exit_code, 0) << none.error;
  EXPECT_EQ(none.out, "unchanged: there is nothing in event 1 to take out\n");
  EXPECT_EQ(Word(directory_.Json({"status"}), "last_sequence"), before);
}

INSTANTIATE_TEST_SUITE_P(WithAndWithoutADaemon, CliKeeping, testing::Bool(),
                         [](const auto& daemon) { return daemon.param ? "Daemon" : "Alone"; });

TEST(CliRestore, IntoAStoreIsRefused) {
  CliDirectory directory;
  const std::string backups = (directory.root() / "backups").string();
  directory.Json({"plan", "T1"});
  directory.Json({"backup", backups});
  const CliResult refused = directory.Run({"restore", backups});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.error, HasSubstr("holds a store already"));
}

TEST(CliRestore, OfNothingSaysSo) {
  CliDirectory directory;
  const CliResult refused = directory.Run({"restore", directory.root().string()});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.error, HasSubstr("there is no backup in"));
}

TEST(CliBackup, IntoSomethingElseIsRefused) {
  CliDirectory directory;
  directory.Json({"plan", "T1"});
  const CliResult refused = directory.Run({"backup", directory.root().string()});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.error, HasSubstr("neither empty nor a directory of backups"));
  EXPECT_THAT(directory.Run({"backup", (directory.data() / "b").string()}).error,
              HasSubstr("inside the data directory"));
}

TEST(CliCompact, RefusesWhatIsNoAge) {
  CliDirectory directory;
  directory.Json({"plan", "T1"});
  EXPECT_EQ(directory.Run({"compact", "--older-than", "yesterday"}).exit_code, 2);
}

}  // namespace
}  // namespace sagalog
