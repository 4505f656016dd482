// The keys of a data directory, and what they refuse to sign.
#include "reactor/audit_keys.h"

#include <sys/stat.h>

#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eventlog/data_directory.h"
#include "eventlog/head_file.h"
#include "eventlog/memory_disk.h"
#include "eventlog/memory_log.h"
#include "reactor/audit_checkpoint.h"
#include "schema/event_encoder.h"
#include "tests/eventlog/sample_events.h"
#include "tests/eventlog/scratch_directory.h"

namespace sagalog {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

std::string Opened(const std::string& store_id) {
  events::EventT event;
  event.sequence = 1;
  event.time = event.wall_time = 1'795'000'000'000'000;
  events::StoreOpenedT body;
  body.store_id = store_id;
  event.body.Set(std::move(body));
  EventEncoder encoder;
  return std::string(encoder.Encode(event));
}

// A log of a named store, in memory.
class NamedLog {
 public:
  explicit NamedLog(const std::string& store_id = "store-1", const std::string& text = "note")
      : log_(*MemoryLog::Open(disk_)), text_(text) {
    EXPECT_TRUE(AppendAll(*log_, {Opened(store_id)}).ok());
    sample_.Next("skipped");  // the sample's sequences begin behind the event above
  }
  void Append(std::size_t count) {
    std::vector<std::string> events;
    for (std::size_t i = 0; i < count; ++i) {
      events.push_back(sample_.Next("a", text_));
    }
    EXPECT_TRUE(AppendAll(*log_, events).ok());
  }
  std::unique_ptr<AuditTree> Tree() const {
    auto tree = AuditTree::Open(*log_, {}, AuditTree::Mode::kReadOnly);
    EXPECT_TRUE((*tree)->CatchUp(log_->Last()).ok());
    return *std::move(tree);
  }

 private:
  MemoryDisk disk_;
  std::unique_ptr<MemoryLog> log_;
  SampleEvents sample_;
  std::string text_;
};

class AuditKeysOfADirectory : public testing::Test {
 protected:
  AuditKeys keys() const { return AuditKeys(scratch_.path()); }
  fs::path audit() const { return scratch_.path() / "audit"; }

  ScratchDirectory scratch_;
};

TEST_F(AuditKeysOfADirectory, AreMadeOnceAndForTheirOwnerAlone) {
  const auto first = keys().Current("sagalog/s/first");
  ASSERT_TRUE(first.ok()) << first.status().text();
  EXPECT_EQ(*keys().Current("sagalog/s/first"), *first);
  EXPECT_EQ(first->name, "sagalog/s/first");
  struct stat found {};
  ASSERT_EQ(::stat(audit().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0700U);
  ASSERT_EQ(::stat((audit() / "key").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
}

TEST_F(AuditKeysOfADirectory, ThatOthersCanReadSignNothing) {
  ASSERT_TRUE(keys().Current("sagalog/s/first").ok());
  fs::permissions(audit() / "key", fs::perms(0640));
  const auto refused = keys().Current("sagalog/s/first");
  EXPECT_EQ(refused.status().code(), Code::kInvalidArgument);
  EXPECT_THAT(refused.status().text(), HasSubstr("chmod 600"));
}

TEST_F(AuditKeysOfADirectory, ThatAreGoneAreNotReplacedInSilence) {
  NamedLog log;
  log.Append(3);
  ASSERT_TRUE(keys().Sign(*log.Tree(), 4).ok());
  const auto before = *keys().Known();
  fs::remove(audit() / "key");
  const auto refused = keys().Sign(*log.Tree(), 4);
  EXPECT_EQ(refused.status().code(), Code::kNotFound);
  EXPECT_THAT(refused.status().text(), HasSubstr("private key is missing"));
  EXPECT_FALSE(keys().Rotate(*log.Tree(), "why", false).ok());
  const auto note = keys().Rotate(*log.Tree(), "the disk burned", true);
  ASSERT_TRUE(note.ok()) << note.status().text();
  EXPECT_EQ(SignedNote::Parse(*note)->signatures.size(), 1U) << "the old key cannot agree";
  EXPECT_EQ(ParseRotation(*note)->from, before.back());
  EXPECT_TRUE(keys().Sign(*log.Tree(), 4).ok());
}

TEST_F(AuditKeysOfADirectory, RotateWithAWordOfBoth) {
  NamedLog log;
  log.Append(3);
  const VerifierKey old_key = *keys().Current("sagalog/store-1/first");
  const auto note = keys().Rotate(*log.Tree(), "yearly", false);
  ASSERT_TRUE(note.ok()) << note.status().text();
  const auto rotation = ParseRotation(*note);
  ASSERT_TRUE(rotation.ok()) << rotation.status().text();
  EXPECT_EQ(rotation->from, old_key);
  EXPECT_EQ(rotation->reason, "yearly");
  EXPECT_EQ(rotation->checkpoint.head, *log.Tree()->HeadAt(4));
  EXPECT_TRUE(VerifyNote(*SignedNote::Parse(*note), std::array{old_key}).ok());
  const VerifierKey new_key = *keys().Current("sagalog/store-1/first");
  EXPECT_EQ(rotation->to, new_key);
  EXPECT_NE(new_key, old_key);
  EXPECT_EQ(*keys().Known(), (std::vector{old_key, new_key}));
  EXPECT_EQ(*keys().Rotations(), std::vector{*note});
  const auto signed_now = keys().Sign(*log.Tree(), 4);
  EXPECT_TRUE(VerifyCheckpoint(*signed_now, std::array{new_key}).ok());
  EXPECT_EQ(VerifyCheckpoint(*signed_now, std::array{old_key}).status().code(), Code::kNotFound);
  EXPECT_THAT(ReadFile(audit() / "key"), ::testing::Not(HasSubstr(old_key.ToText())));
}

TEST_F(AuditKeysOfADirectory, SignOneHistoryOnly) {
  NamedLog log;
  log.Append(3);
  ASSERT_TRUE(keys().Sign(*log.Tree(), 4).ok());
  log.Append(3);
  ASSERT_TRUE(keys().Sign(*log.Tree(), 7).ok());
  ASSERT_TRUE(keys().Sign(*log.Tree(), 5).ok()) << "a smaller one of the same history";
  NamedLog other("store-1", "another text");
  other.Append(8);
  const auto refused = keys().Sign(*other.Tree(), 9);
  EXPECT_EQ(refused.status().code(), Code::kCorruption);
  EXPECT_THAT(refused.status().text(), HasSubstr("first 7 events"));
  EXPECT_EQ(keys().Rotate(*other.Tree(), "why", false).status().code(), Code::kCorruption);
}

TEST_F(AuditKeysOfADirectory, SignNothingWhoseEndIsGone) {
  NamedLog log;
  log.Append(6);
  ASSERT_TRUE(keys().Sign(*log.Tree(), 7).ok());
  NamedLog shorter;
  shorter.Append(3);
  const auto refused = keys().Sign(*shorter.Tree(), 4);
  EXPECT_EQ(refused.status().code(), Code::kCorruption);
  EXPECT_THAT(refused.status().text(), HasSubstr("its end is gone"));
  // A reader that is a little behind may still sign what it has read.
  WriteFile(scratch_.path() / kHeadFileName, HeadFile::Encode(Sequence(7)));
  EXPECT_TRUE(keys().Sign(*shorter.Tree(), 4).ok());
}

TEST_F(AuditKeysOfADirectory, BeginAnewForAnotherLineage) {
  const VerifierKey first = *keys().Current("sagalog/s/first");
  const VerifierKey second = *keys().Current("sagalog/s/2nd");
  EXPECT_EQ(second.name, "sagalog/s/2nd");
  EXPECT_NE(second.key, first.key);
  EXPECT_EQ(*keys().Known(), (std::vector{first, second}));
}

TEST_F(AuditKeysOfADirectory, SignNoLogWithoutAName) {
  MemoryDisk disk;
  const auto log = *MemoryLog::Open(disk);
  ASSERT_TRUE(AppendAll(*log, SampleEvents().Batch(3)).ok());
  const auto tree = *AuditTree::Open(*log, {}, AuditTree::Mode::kReadOnly);
  ASSERT_TRUE(tree->CatchUp(log->Last()).ok());
  EXPECT_EQ(keys().Sign(*tree, 3).status().code(), Code::kInvalidArgument);
}

TEST(CheckpointText, IsReadBackAndNothingElseIs) {
  const Checkpoint checkpoint{"sagalog/s/first", {12, LeafHash("x")}};
  EXPECT_EQ(*ParseCheckpointText(CheckpointText(checkpoint)), checkpoint);
  EXPECT_EQ(*ParseCheckpointText(CheckpointText(checkpoint) + "an extension\n"), checkpoint);
  const std::string root = ToBase64(checkpoint.head.root);
  for (const std::string& text :
       {std::string(), std::string("o\n1\n"), "o\n01\n" + root + "\n", "o\n-1\n" + root + "\n",
        "\n1\n" + root + "\n", std::string("o\n1\nAAAA\n"), "o\n1\n" + root,
        "o\n1x\n" + root + "\n"}) {
    EXPECT_FALSE(ParseCheckpointText(text).ok()) << text;
  }
}

}  // namespace
}  // namespace sagalog
