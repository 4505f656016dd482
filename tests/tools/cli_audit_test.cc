// sagalog audit key, checkpoint, prove and verify, and what a daemon publishes.
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/eventlog/scratch_directory.h"
#include "tests/tools/cli_directory.h"

namespace sagalog {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;
namespace fs = std::filesystem;

// With a daemon on the directory, and without.
class CliAudit : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    directory_.Json({"plan", "T1"});
    if (GetParam()) {
      directory_.Serve();
    }
    directory_.Json({"annotate", "T1", "one"});
  }
  std::string Keep(const std::string& name, const Words& words) {
    const CliResult done = directory_.Run(words);
    EXPECT_EQ(done.exit_code, 0) << done.error;
    WriteFile(directory_.root() / name, done.out);
    return (directory_.root() / name).string();
  }

  CliDirectory directory_;
};

TEST_P(CliAudit, CheckpointsAreNotesThatTheKeyHasSigned) {
  const std::string key = directory_.Run({"audit", "key"}).out;
  EXPECT_THAT(key, MatchesRegex("sagalog/[-0-9a-f]+/first[+][0-9a-f]+[+][A-Za-z0-9+/=]+\n"));
  const std::string note = directory_.Run({"audit", "checkpoint"}).out;
  const std::string origin = key.substr(0, key.find('+'));
  EXPECT_THAT(note, StartsWith(origin + "\n"));
  EXPECT_THAT(note, HasSubstr("\n\n\xE2\x80\x94 " + origin + " "));
  EXPECT_EQ(directory_.Run({"audit", "checkpoint"}).out, note) << "of the same log, the same";
  EXPECT_EQ(Word(directory_.Json({"audit", "checkpoint"}), "checkpoint"), note);
}

TEST_P(CliAudit, AnEventIsProven) {
  const std::string key = Keep("key", {"audit", "key"});
  const std::string proof = Keep("proof", {"audit", "prove", "2"});
  EXPECT_THAT(ReadFile(proof), StartsWith("c2sp.org/tlog-proof@v1\nextra "));
  EXPECT_THAT(ReadFile(proof), HasSubstr("\nindex 1\n"));
  const CliResult shown = RunCli({"audit", "verify", proof, "--key", key});
  EXPECT_EQ(shown.exit_code, 0) << shown.error;
  EXPECT_THAT(shown.out, StartsWith("ok: event 2 is among the"));
  std::string other = ReadFile(proof);
  other.replace(other.find("\nindex 1\n"), 9, "\nindex 2\n");
  WriteFile(proof, other);
  const CliResult refused = RunCli({"audit", "verify", proof, "--key", key});
  EXPECT_EQ(refused.exit_code, 3) << refused.out;
  EXPECT_EQ(RunCli({"audit", "verify", proof}).exit_code, 1) << "no key";
}

TEST_P(CliAudit, TheLogGoesOnFromACheckpoint) {
  const std::string key = Keep("key", {"audit", "key"});
  const std::string older = Keep("older", {"audit", "checkpoint"});
  for (int i = 0; i < 5; ++i) {
    directory_.Json({"annotate", "T1", "more"});
  }
  const std::string proof = Keep("proof", {"audit", "prove", "--from", older});
  const CliResult shown = RunCli({"audit", "verify", proof, "--key", key, "--checkpoint", older});
  EXPECT_EQ(shown.exit_code, 0) << shown.error;
}

TEST_P(CliAudit, WhoTrustsTheOldKeyIsToldOfTheNewOne) {
  const std::string old_key = Keep("old", {"audit", "key"});
  const std::string rotation = Keep("rotation", {"audit", "key", "rotate", "--reason", "yearly"});
  EXPECT_THAT(ReadFile(rotation), HasSubstr("\nreason yearly\n"));
  const std::string new_key = Keep("new", {"audit", "key"});
  EXPECT_EQ(ReadFile(directory_.root() / "rotation"),
            ReadFile(directory_.data() / "audit" / "rotation-000001"));
  EXPECT_EQ(directory_.Run({"audit", "key", "--all"}).out, ReadFile(old_key) + ReadFile(new_key));
  const std::string checkpoint = Keep("checkpoint", {"audit", "checkpoint"});
  const auto verify = [&](const Words& keys) {
    Words words = {"audit", "verify", "--checkpoint", checkpoint};
    words.insert(words.end(), keys.begin(), keys.end());
    return directory_.Run(words);
  };
  EXPECT_EQ(verify({"--key", new_key}).exit_code, 0);
  const CliResult unknown = verify({"--key", old_key});
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.error, HasSubstr("--rotation " + (directory_.data() / "audit").string()));
  EXPECT_EQ(verify({"--key", old_key, "--rotation", rotation}).exit_code, 0);
  // A key that is there is not lost, and nothing is changed.
  const CliResult there =
      directory_.Run({"audit", "key", "rotate", "--lost", "--reason", "it is gone"});
  EXPECT_EQ(there.exit_code, 1) << there.out;
  EXPECT_THAT(there.error, HasSubstr("the key is not lost"));
  EXPECT_EQ(directory_.Run({"audit", "key"}).out, ReadFile(new_key));
  fs::remove(directory_.data() / "audit" / "key");
  // Who made the note is asked too: the new key alone vouches for nothing.
  const std::string lost =
      Keep("lost", {"audit", "key", "rotate", "--lost", "--reason", "it is gone"});
  const std::string of_third = Keep("third", {"audit", "checkpoint"});
  const CliResult refused = directory_.Run(
      {"audit", "verify", "--checkpoint", of_third, "--key", new_key, "--rotation", lost});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.error, HasSubstr("none of the keys given"));
}

TEST_P(CliAudit, BadInputIsRefusedInWords) {
  const CliResult beyond = directory_.Run({"audit", "prove", "1000"});
  EXPECT_EQ(beyond.exit_code, 1);
  EXPECT_THAT(beyond.error, HasSubstr("there is no event 1000: the log has events 1 to "));
  EXPECT_EQ(directory_.Run({"audit", "prove", "0"}).exit_code, 1);
  EXPECT_EQ(directory_.Run({"audit", "prove"}).exit_code, 2);
  EXPECT_EQ(directory_.Run({"audit", "prove", "x"}).exit_code, 2);
  EXPECT_EQ(directory_.Run({"audit", "prove", "2", "--from", "x"}).exit_code, 2);
  EXPECT_EQ(directory_.Run({"audit", "prove", "--from", "/nowhere"}).exit_code, 1);
  EXPECT_EQ(directory_.Run({"audit", "verify", "--checkpoint", "/nowhere"}).exit_code, 1);
  EXPECT_EQ(directory_.Run({"audit", "verify", "/nowhere"}).exit_code, 1);
  EXPECT_EQ(directory_.Run({"audit", "key", "rotate"}).exit_code, 2) << "a reason is needed";
  EXPECT_EQ(directory_.Run({"audit", "key", "rotate", "--reason", "a\nb"}).exit_code, 2);
  EXPECT_EQ(directory_.Run({"audit"}).exit_code, 2);
}

INSTANTIATE_TEST_SUITE_P(WithAndWithoutADaemon, CliAudit, testing::Bool(),
                         [](const auto& daemon) { return daemon.param ? "Daemon" : "Alone"; });

TEST(CliAuditNowhere, MakesNoStore) {
  CliDirectory directory;
  EXPECT_EQ(directory.Run({"audit", "key"}).exit_code, 1);
  EXPECT_FALSE(fs::exists(directory.data()));
}

TEST(CliPublish, ADaemonPublishesToADirectory) {
  CliDirectory directory;
  directory.Json({"plan", "T1"});
  const fs::path published = directory.root() / "published";
  directory.Serve({"--publish-checkpoint", published.string(), "--publish-interval", "365d"});
  directory.Json({"plan", "T2"});
  const std::string key = directory.Run({"audit", "key"}).out;
  EXPECT_EQ(directory.StopServing(), 0);
  const std::string newest = ReadFile(published / "checkpoint");
  EXPECT_EQ(directory
                .Run({"audit", "verify", "--checkpoint", (published / "checkpoint").string(),
                      "--key", key.substr(0, key.size() - 1)})
                .exit_code,
            0);
  EXPECT_EQ(newest, directory.Run({"audit", "checkpoint"}).out) << "also what came at the end";
  const std::string size = newest.substr(newest.find('\n') + 1);
  EXPECT_EQ(ReadFile(published / ("checkpoint-" + size.substr(0, size.find('\n')))), newest);
}

TEST(CliPublish, ACommandGetsItAndMayFail) {
  CliDirectory directory;
  directory.Json({"plan", "T1"});
  const std::string taken = (directory.root() / "taken").string();
  directory.Serve({"--publish-checkpoint", "cat > " + taken, "--publish-interval", "365d"});
  EXPECT_EQ(directory.StopServing(), 0);
  EXPECT_EQ(ReadFile(taken), directory.Run({"audit", "checkpoint"}).out);
  directory.Serve({"--publish-checkpoint", "echo no >&2; exit 7", "--publish-interval", "10ms"});
  EXPECT_EQ(directory.Run({"plan", "T2"}).exit_code, 0) << "the daemon serves all the same";
  EXPECT_EQ(directory.StopServing(), 0);
}

TEST(CliPublish, AnIntervalThatIsNoneIsRefused) {
  CliDirectory directory;
  for (const char* interval : {"0s", "soon", "-1s"}) {
    EXPECT_EQ(directory.Run({"serve", "--publish-interval", interval}).exit_code, 2) << interval;
  }
}

}  // namespace
}  // namespace sagalog
