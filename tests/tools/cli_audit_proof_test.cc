// sagalog audit verify: a proof held against checkpoints that were kept, and what is said of
// hashes.
#include <filesystem>
#include <string>

#include <boost/json/array.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/eventlog/scratch_directory.h"
#include "tests/tools/cli_directory.h"
#include "tests/tools/forged_record.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
namespace fs = std::filesystem;

// A store of three events and its copy, which share a key and then go different ways.
class CliAuditProof : public testing::Test {
 protected:
  void SetUp() override {
    directory_.Json({"plan", "T1"});
    directory_.Json({"plan", "T2"});
    key_ = Keep("key", directory_.data(), {"audit", "key"});
    older_ = Keep("older", directory_.data(), {"audit", "checkpoint"});
    CopyDirectory(directory_.data(), other());
    Annotate(directory_.data(), "this");
    Annotate(other(), "that");
    kept_ = Keep("kept", directory_.data(), {"audit", "checkpoint"});
  }

  fs::path other() const { return directory_.root() / "other"; }
  void Annotate(const fs::path& data, const std::string& text) {
    const CliResult done = RunCli({"annotate", "T1", text, "--data", data.string()});
    ASSERT_EQ(done.exit_code, 0) << done.error;
  }
  // What the command prints, in a file.
  std::string Keep(const std::string& name, const fs::path& data, Words words) {
    words.insert(words.end(), {"--data", data.string()});
    const CliResult done = RunCli(words);
    EXPECT_EQ(done.exit_code, 0) << done.error;
    WriteFile(directory_.root() / name, done.out);
    return (directory_.root() / name).string();
  }
  CliResult Verify(const std::string& proof, Words more) {
    more.insert(more.begin(), {"audit", "verify", proof, "--key", key_});
    return RunCli(more);
  }
  void ExpectTwoHistories(const CliResult& found) {
    EXPECT_EQ(found.exit_code, 3) << found.out;
    EXPECT_EQ(found.out, "");
    EXPECT_THAT(found.error, HasSubstr("two histories were signed of sagalog/"));
  }
  void ExpectUntold(const CliResult& found) {
    EXPECT_EQ(found.exit_code, 1) << found.out;
    EXPECT_EQ(found.out, "");
    EXPECT_THAT(found.error, AllOf(HasSubstr("it cannot be told"), HasSubstr("--from")));
  }

  CliDirectory directory_;
  std::string key_;
  std::string older_;  // of three events
  std::string kept_;   // of four, of the one history
};

TEST_F(CliAuditProof, OfAnEventIsHeldAgainstWhatWasKept) {
  const std::string good = Keep("good", directory_.data(), {"audit", "prove", "4"});
  const CliResult shown = Verify(good, {"--checkpoint", kept_});
  EXPECT_EQ(shown.exit_code, 0) << shown.error;
  EXPECT_THAT(shown.out, AllOf(StartsWith("ok: event 4 is among the 4 events"),
                               HasSubstr("the first 4 of them are those of " + kept_)));
  const std::string forged = Keep("forged", other(), {"audit", "prove", "4"});
  EXPECT_EQ(Verify(forged, {}).exit_code, 0) << "the key has signed it";
  ExpectTwoHistories(Verify(forged, {"--checkpoint", kept_}));
}

TEST_F(CliAuditProof, OfAnotherSizeCannotBeHeldAgainstIt) {
  const std::string proof = Keep("proof", directory_.data(), {"audit", "prove", "2"});
  ExpectUntold(Verify(proof, {"--checkpoint", older_}));
  const CliResult both = Verify(proof, {"--checkpoint", older_, "--checkpoint", kept_});
  EXPECT_EQ(both.exit_code, 0) << both.error;
  EXPECT_THAT(both.out, AllOf(HasSubstr("not held against " + older_ + ", of 3 events"),
                              HasSubstr("are those of " + kept_)));
}

TEST_F(CliAuditProof, OfGrowthIsHeldAgainstBothItsEnds) {
  Annotate(directory_.data(), "more");
  const std::string proof = Keep("proof", directory_.data(), {"audit", "prove", "--from", older_});
  const std::string newest = Keep("newest", directory_.data(), {"audit", "checkpoint"});
  EXPECT_EQ(Verify(proof, {"--checkpoint", older_}).exit_code, 0);
  EXPECT_EQ(Verify(proof, {"--checkpoint", newest}).exit_code, 0);
  // Between them it says nothing; nobody altered anything.
  ExpectUntold(Verify(proof, {"--checkpoint", kept_}));
}

TEST_F(CliAuditProof, OfGrowthShowsTwoHistoriesAtEitherEnd) {
  const std::string to_that = Keep("to", other(), {"audit", "prove", "--from", older_});
  ExpectTwoHistories(Verify(to_that, {"--checkpoint", kept_}));
  const std::string that = Keep("that", other(), {"audit", "checkpoint"});
  Annotate(other(), "more");
  const std::string from_that = Keep("from", other(), {"audit", "prove", "--from", that});
  ExpectTwoHistories(Verify(from_that, {"--checkpoint", kept_}));
}

TEST_F(CliAuditProof, CheckpointsThatContradictEachOtherAreTwoHistories) {
  const std::string proof = Keep("proof", directory_.data(), {"audit", "prove", "2"});
  const std::string that = Keep("that", other(), {"audit", "checkpoint"});
  ExpectTwoHistories(Verify(proof, {"--checkpoint", kept_, "--checkpoint", that}));
}

TEST_F(CliAuditProof, OfAnotherStoreIsNotHeldAgainstIt) {
  CliDirectory stranger;
  stranger.Json({"plan", "T1"});
  const std::string key = Keep("strange_key", stranger.data(), {"audit", "key"});
  const std::string checkpoint = Keep("strange", stranger.data(), {"audit", "checkpoint"});
  const std::string proof = Keep("proof", directory_.data(), {"audit", "prove", "2"});
  const CliResult found = Verify(proof, {"--key", key, "--checkpoint", checkpoint});
  EXPECT_EQ(found.exit_code, 1) << found.out;
  EXPECT_THAT(found.error, HasSubstr("is a checkpoint of sagalog/"));
}

TEST(CliAuditHashes, SaysWhatWasCompactedAndWhatWasRedactedByWhom) {
  CliDirectory directory;
  directory.Json({"plan", "T1"});
  const std::string token = directory.Token({"acquire", "T1", "--owner", "w1"});
  for (const char* ttl : {"61s", "62s", "63s"}) {
    directory.Json({"heartbeat", "T1", "--token", token, "--ttl", ttl});
  }
  directory.Json({"annotate", "T1", "secret"});
  EXPECT_THAT(directory.Run({"audit", "verify"}).out, Not(HasSubstr("only the hash is left")));
  directory.Json({"compact", "--older-than", "0s"});
  directory.Json({"redact", "7", "--reason", "a password", "--actor", "ann"});
  const CliResult shown = directory.Run({"audit", "verify"});
  EXPECT_EQ(shown.exit_code, 0) << shown.error;
  EXPECT_THAT(shown.out, AllOf(HasSubstr("of 3 only the hash is left: 2 compacted, 1 redacted\n"),
                               HasSubstr("    event 7 was redacted by ann at 20"),
                               HasSubstr(": a password\n")));
  const auto told = directory.Json({"audit", "verify"});
  EXPECT_EQ(told.at("redactions").as_array().at(0).at("sequence").to_number<int>(), 7);
}

}  // namespace
}  // namespace sagalog
