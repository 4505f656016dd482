// What auditors hand to sagalog besides altered records: files of keys, odd checkpoints, places.
#include <array>
#include <filesystem>
#include <iterator>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "projections/merkle_tree.h"
#include "reactor/audit_checkpoint.h"
#include "reactor/signed_note.h"
#include "tests/eventlog/scratch_directory.h"
#include "tests/tools/cli_directory.h"
#include "tests/tools/forged_record.h"

namespace sagalog {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

class CliAuditCorner : public testing::Test {
 protected:
  void SetUp() override {
    directory_.Json({"plan", "T1"});
    const std::string token = directory_.Token({"acquire", "T1", "--owner", "w1"});
    directory_.Json({"heartbeat", "T1", "--token", token, "--ttl", "60s"});
    directory_.Json({"heartbeat", "T1", "--token", token, "--ttl", "61s"});
    directory_.Json({"annotate", "T1", "seen"});
    directory_.Json({"complete", "T1", "--token", token});
    key_ = directory_.Run({"audit", "key"}).out;
    checkpoint_ = Keep("checkpoint", directory_.Run({"audit", "checkpoint"}).out);
  }
  std::string Keep(const std::string& name, const std::string& text) const {
    WriteFile(directory_.root() / name, text);
    return (directory_.root() / name).string();
  }
  CliResult Verify(const std::string& keys) {
    return directory_.Run(
        {"audit", "verify", "--checkpoint", checkpoint_, "--key", Keep("keys", keys)});
  }

  CliDirectory directory_;
  std::string key_;  // with its line break
  std::string checkpoint_;
};

// Of C2SP tlog-cosignature: the same name and hash, and another algorithm.
constexpr const char* kWitnessKey =
    "witness.example/w1+f5f1ad4c+BAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH";

TEST_F(CliAuditCorner, KeysOfWitnessesAndLineBreaksOfWindowsAreTaken) {
  const std::string crlf = key_.substr(0, key_.size() - 1) + "\r\n";
  const CliResult found = Verify("# two keys\r\n\r\n" + std::string(kWitnessKey) + "\r\n" + crlf);
  EXPECT_EQ(found.exit_code, 0) << found.error;
  EXPECT_THAT(found.out, HasSubstr("line 3, of witness.example/w1, is the key of a witness"));
  const CliResult none = Verify(std::string(kWitnessKey) + "\n");
  EXPECT_EQ(none.exit_code, 1);
  EXPECT_THAT(none.error, HasSubstr("it holds no key that a log signs with"));
}

TEST_F(CliAuditCorner, ABrokenKeyIsNamedByItsLine) {
  std::string damaged = kWitnessKey;
  damaged.back() = damaged.back() == 'g' ? 'h' : 'g';
  for (const std::string& line : {std::string("no key at all"), damaged}) {
    const CliResult refused = Verify(key_ + "\n" + line + "\n");
    EXPECT_EQ(refused.exit_code, 1) << refused.out;
    EXPECT_THAT(refused.error, HasSubstr("keys: line 3: this is no verifier key"));
  }
}

TEST_F(CliAuditCorner, ExportsIntoADataDirectoryAreRefused) {
  const auto before = Snapshot(directory_.data());
  for (const fs::path& out : {directory_.data() / "inside", directory_.data() / "log" / "x"}) {
    const CliResult refused =
        directory_.Run({"audit", "export", "--unsigned", "--out", out.string()});
    EXPECT_EQ(refused.exit_code, 1) << refused.out;
    EXPECT_THAT(refused.error, HasSubstr("is inside " + directory_.data().string()));
  }
  const CliResult of_record = RunCli({"audit", "export", "--record", directory_.data().string(),
                                      "--out", (directory_.data() / "inside").string()});
  EXPECT_EQ(of_record.exit_code, 1) << of_record.out;
  EXPECT_EQ(Snapshot(directory_.data()), before);
}

// A run that ended between the journal and the manifest leaves all events, and no whole export.
TEST_F(CliAuditCorner, AnExportThatIsFinishedNowIsNotUnchanged) {
  const fs::path out = directory_.root() / "out";
  const Words words = {"audit", "export", "--out", out.string()};
  EXPECT_THAT(directory_.Run(words).out, HasSubstr("ok: "));
  EXPECT_THAT(directory_.Run(words).out, HasSubstr("unchanged: "));
  fs::rename(out / "manifest.json", out / "export.unfinished");
  fs::rename(out / "events.ndjson", out / "events.ndjson.unfinished");
  const CliResult finished = directory_.Run(words);
  EXPECT_EQ(finished.exit_code, 0) << finished.error;
  EXPECT_THAT(finished.out, AllOf(HasSubstr("ok: "), HasSubstr("0 of them new")));
  EXPECT_TRUE(fs::exists(out / "manifest.json"));
  EXPECT_THAT(directory_.Run(words).out, HasSubstr("unchanged: "));
}

TEST_F(CliAuditCorner, VerifyClaimsOfNoEventMoreThanIsLeft) {
  EXPECT_THAT(directory_.Run({"verify"}).out, HasSubstr("all of them as they were written"));
  ASSERT_EQ(directory_.Run({"redact", "6", "--reason", "private"}).exit_code, 0);
  ASSERT_EQ(directory_.Run({"compact", "--older-than", "0s"}).exit_code, 0);
  const CliResult found = directory_.Run({"verify"});
  EXPECT_EQ(found.exit_code, 0) << found.error;
  EXPECT_THAT(found.out, AllOf(HasSubstr("of 3 only the hash of what was written is left"),
                               Not(HasSubstr("all of them"))));
}

TEST_F(CliAuditCorner, ACheckpointOfNoEventsHasTheRootOfNone) {
  std::string text = ReadFile(directory_.data() / "audit" / "key");
  text.erase(text.find_last_not_of('\n') + 1);
  const auto key = SignerKey::Parse(text);
  ASSERT_TRUE(key.ok()) << key.status().text();
  const auto verify = [&](const EventHash& root) {
    const Checkpoint checkpoint{key->verifier().name, {0, root}};
    const SignerKey* const signer = &*key;
    return RunCli({"audit", "verify", directory_.data().string(), "--key", Keep("keys", key_),
                   "--checkpoint",
                   Keep("none", SignNote(CheckpointText(checkpoint), std::array{signer}))});
  };
  EventHash root = MerkleTree().Root();
  EXPECT_EQ(verify(root).exit_code, 0) << verify(root).error;
  root[0] ^= 1;
  const CliResult found = verify(root);
  EXPECT_EQ(found.exit_code, 3) << found.out;
  EXPECT_THAT(found.error, HasSubstr("the checkpoint of 0 events is of no log"));
}

// The end was cut off and HEAD set back: only what was signed remembers it.
TEST_F(CliAuditCorner, AnEndThatWasSignedAndIsGoneIsToldOnTheSpot) {
  EXPECT_EQ(directory_.Run({"doctor"}).exit_code, 0);
  RewriteRaw(directory_.data(), [](RawEvents& events) { events.erase(std::prev(events.end())); });
  fs::remove_all(directory_.data() / "projections");
  const CliResult examined = directory_.Run({"doctor"});
  EXPECT_EQ(examined.exit_code, 3) << examined.out;
  EXPECT_THAT(examined.out, HasSubstr("broken  audit: the log ends at event 6, and 7 events were "
                                      "signed: its end is missing"));
  const CliResult verified = directory_.Run({"verify"});
  EXPECT_EQ(verified.exit_code, 3) << verified.out;
  EXPECT_THAT(verified.error, HasSubstr("7 events were signed"));
}

}  // namespace
}  // namespace sagalog
