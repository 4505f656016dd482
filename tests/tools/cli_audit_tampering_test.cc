// What sagalog audit verify catches: each way to alter a record, by the program that an auditor
// runs.
#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/eventlog/scratch_directory.h"
#include "tests/tools/cli_directory.h"
#include "tests/tools/forged_record.h"

namespace sagalog {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

using Events = std::vector<events::EventT>;

// A store with 12 events, of which a checkpoint and the public key were kept.
class AuditedStore : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* saga : {"T1", "T2", "T3"}) {
      directory_.Json({"plan", saga, "--key", std::string("acme/app#") + saga});
    }
    for (const char* saga : {"T1", "T2", "T1", "T3", "T1", "T2", "T1", "T1"}) {
      directory_.Json({"annotate", saga, "seen"});
    }
    key_ = Keep("key", directory_.Run({"audit", "key"}).out);
    checkpoint_ = Keep("checkpoint", directory_.Run({"audit", "checkpoint"}).out);
    ASSERT_THAT(ReadFile(checkpoint_), HasSubstr("\n12\n"));
  }

  std::string Keep(const std::string& name, const std::string& text) {
    fs::create_directories(directory_.root() / "kept");
    const fs::path path = directory_.root() / "kept" / name;
    WriteFile(path, text);
    return path.string();
  }
  CliResult Verify(Words more = {}) {
    Words words = {"audit", "verify", "--checkpoint", checkpoint_, "--key", key_};
    words.insert(words.end(), more.begin(), more.end());
    return directory_.Run(words);
  }
  void ExpectAltered(const std::string& said, int exit_code = 3) {
    const CliResult found = Verify();
    EXPECT_EQ(found.exit_code, exit_code) << found.out << found.error;
    EXPECT_THAT(found.error, HasSubstr(said));
    EXPECT_EQ(found.out, "");
  }
  const fs::path& root() const { return directory_.root(); }

  CliDirectory directory_;
  std::string key_;
  std::string checkpoint_;
};

constexpr const char* kOtherRoot = "the first 12 events are not those that were signed";

TEST_F(AuditedStore, IsWholeAndStaysSoWhenItGrows) {
  const CliResult found = Verify();
  EXPECT_EQ(found.exit_code, 0) << found.error;
  EXPECT_THAT(found.out, HasSubstr("ok: 12 events of sagalog/"));
  EXPECT_THAT(found.out, HasSubstr("the first 12 are those that were signed\n"));
  directory_.Json({"annotate", "T1", "later"});
  EXPECT_EQ(Verify().exit_code, 0);
}

TEST_F(AuditedStore, OneChangedByteInTheFilesIsFound) {
  const fs::path table = NewestFile(directory_.data() / "log", ".log");
  FlipByte(table, fs::file_size(table) / 2);
  const CliResult found = Verify();
  EXPECT_EQ(found.exit_code, 3);
  EXPECT_THAT(found.error, HasSubstr("event"));
}

// The checksums of the database are right again: the event's own bytes are all that changed.
TEST_F(AuditedStore, OneChangedByteOfAnEventIsFound) {
  RewriteRaw(directory_.data(), [](RawEvents& events) {
    std::string& bytes = events[7];
    const std::size_t at = bytes.find("seen");
    ASSERT_NE(at, std::string::npos);
    bytes[at] = 'S';
  });
  ExpectAltered(kOtherRoot);
}

TEST_F(AuditedStore, ARemovedEventIsFound) {
  RewriteRaw(directory_.data(), [](RawEvents& events) { events.erase(6); });
  ExpectAltered("event 6");
}

TEST_F(AuditedStore, ARemovedEventIsFoundWhenTheRestIsNumberedAnew) {
  Forge(directory_.data(), [](Events& events) { events.erase(events.begin() + 5); });
  ExpectAltered("the record ends at event 11, and 12 events were signed");
}

TEST_F(AuditedStore, AnAddedEventIsFound) {
  RewriteRaw(directory_.data(), [](RawEvents& events) {
    for (std::uint64_t sequence = 12; sequence > 6; --sequence) {
      events[sequence + 1] = events[sequence];
    }
    events[7] = events[6];
  });
  ExpectAltered("event 7");
}

TEST_F(AuditedStore, AnAddedEventIsFoundWhenTheRestIsNumberedAnew) {
  Forge(directory_.data(), [](Events& events) { events.insert(events.begin() + 6, events[5]); });
  ExpectAltered(kOtherRoot);
}

TEST_F(AuditedStore, SwappedEventsAreFound) {
  RewriteRaw(directory_.data(), [](RawEvents& events) { std::swap(events[5], events[6]); });
  ExpectAltered("event 5");
}

TEST_F(AuditedStore, SwappedEventsAreFoundWhenTheyAreNumberedAnew) {
  Forge(directory_.data(), [](Events& events) { std::swap(events[4], events[5]); });
  ExpectAltered(kOtherRoot);
}

TEST_F(AuditedStore, RenumberedEventsAreFound) {
  RewriteRaw(directory_.data(), [](RawEvents& events) {
    RawEvents moved;
    for (auto& [sequence, bytes] : events) {
      moved[sequence < 8 ? sequence : sequence + 1] = bytes;
    }
    events = moved;
  });
  ExpectAltered("event 8");
}

TEST_F(AuditedStore, ACutTailIsFound) {
  RewriteRaw(directory_.data(), [](RawEvents& events) {
    events.erase(11);
    events.erase(12);
  });
  ExpectAltered("the record ends at event 10, and 12 events were signed: its end is missing");
  const CliResult refused = directory_.Run({"audit", "checkpoint"});
  EXPECT_EQ(refused.exit_code, 3) << refused.out;
  EXPECT_THAT(refused.error, HasSubstr("its end is gone. Nothing is signed"));
}

TEST_F(AuditedStore, AForgedLogIsFoundThoughItIsConsistentInItself) {
  Forge(directory_.data(), [](Events& events) {
    for (events::EventT& event : events) {
      if (auto* note = event.body.AsAnnotated()) {
        note->text = "never seen";
      }
    }
  });
  const CliResult verified = directory_.Run({"verify"});
  EXPECT_EQ(verified.exit_code, 3) << "the log itself is a valid one, but not the one signed";
  EXPECT_THAT(verified.error, HasSubstr(kOtherRoot));
  const CliResult alone = directory_.Run({"audit", "verify", "--key", key_});
  EXPECT_EQ(alone.exit_code, 0) << alone.error;
  EXPECT_THAT(alone.out, HasSubstr("held against no checkpoint"));
  ExpectAltered(kOtherRoot);
  const CliResult refused = directory_.Run({"audit", "checkpoint"});
  EXPECT_EQ(refused.exit_code, 3);
  EXPECT_THAT(refused.error, HasSubstr("Nothing is signed"));
}

// The holder of the key lets two histories grow from one, and signs both.
TEST_F(AuditedStore, TwoHistoriesUnderOneKeyAreFound) {
  CopyDirectory(directory_.data(), root() / "other");
  directory_.Json({"annotate", "T1", "what the one is told"});
  const std::string told_one = Keep("one", directory_.Run({"audit", "checkpoint"}).out);
  const std::string other = (root() / "other").string();
  ASSERT_EQ(RunCli({"annotate", "T1", "what the other is told", "--data", other}).exit_code, 0);
  const std::string told_other = Keep("two", RunCli({"audit", "checkpoint", "--data", other}).out);
  ASSERT_THAT(ReadFile(told_other), HasSubstr("\n13\n"));
  EXPECT_EQ(Verify({"--checkpoint", told_one}).exit_code, 0);
  const CliResult crossed = Verify({"--checkpoint", told_other});
  EXPECT_EQ(crossed.exit_code, 3);
  EXPECT_THAT(crossed.error, HasSubstr("the first 13 events are not those that were signed"));
  const CliResult both = Verify({"--checkpoint", told_one, "--checkpoint", told_other});
  EXPECT_EQ(both.exit_code, 3);
  EXPECT_THAT(both.error, HasSubstr("two histories were signed"));
}

TEST_F(AuditedStore, ACheckpointOfAnotherStoreIsRefused) {
  CliDirectory other;
  other.Json({"plan", "T1"});
  const std::string key = Keep("other-key", other.Run({"audit", "key"}).out);
  const std::string checkpoint = Keep("other", other.Run({"audit", "checkpoint"}).out);
  const CliResult found =
      directory_.Run({"audit", "verify", "--checkpoint", checkpoint, "--key", key});
  EXPECT_EQ(found.exit_code, 1);
  EXPECT_THAT(found.error, HasSubstr("the checkpoint is of another store"));
}

TEST_F(AuditedStore, AWrongKeyIsRefused) {
  CliDirectory other;
  other.Json({"plan", "T1"});
  key_ = Keep("wrong", other.Run({"audit", "key"}).out);
  ExpectAltered("that is none of the keys given", 1);
  key_ = Keep("broken", "no key at all\n");
  ExpectAltered("this is no verifier key", 1);
  key_ = (root() / "nowhere").string();
  ExpectAltered("neither a verifier key nor a file of them", 1);
}

TEST_F(AuditedStore, AMissingKeyIsSaid) {
  const std::string backups = (root() / "backups").string();
  directory_.Json({"backup", backups});
  const CliResult found = RunCli({"audit", "verify", backups, "--checkpoint", checkpoint_});
  EXPECT_EQ(found.exit_code, 1);
  EXPECT_THAT(found.error, HasSubstr("no key to check the signature with"));
  fs::remove(directory_.data() / "audit" / "key");
  const CliResult refused = directory_.Run({"audit", "checkpoint"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.error, HasSubstr("the private key is missing"));
  EXPECT_EQ(Verify().exit_code, 0) << "verifying needs no private key";
}

TEST_F(AuditedStore, AChangedCheckpointIsFound) {
  std::string text = ReadFile(checkpoint_);
  text.replace(text.find("\n12\n"), 4, "\n11\n");
  checkpoint_ = Keep("changed", text);
  ExpectAltered("does not hold: what was signed was changed");
  checkpoint_ = Keep("nothing", "nothing\n");
  ExpectAltered("this is no signed note", 1);
}

TEST_F(AuditedStore, TheDirectorysOwnKeysAreCalledThat) {
  const CliResult found = directory_.Run({"audit", "verify", "--checkpoint", checkpoint_});
  EXPECT_EQ(found.exit_code, 0) << found.error;
  EXPECT_THAT(found.out, HasSubstr("by the directory's own word"));
}

TEST_F(AuditedStore, CompactionChangesNoHash) {
  const std::string token = directory_.Token({"acquire", "T1", "--owner", "w", "--ttl", "60s"});
  for (const char* ttl : {"61s", "62s", "63s", "64s"}) {
    directory_.Json({"heartbeat", "T1", "--token", token, "--ttl", ttl});
  }
  checkpoint_ = Keep("before", directory_.Run({"audit", "checkpoint"}).out);
  const std::string proof = Keep("proof", directory_.Run({"audit", "prove", "14"}).out);
  ASSERT_EQ(Word(directory_.Json({"compact", "--older-than", "0s"}), "stubs"), "3");
  const CliResult found = Verify();
  EXPECT_EQ(found.exit_code, 0) << found.error;
  EXPECT_THAT(found.out, HasSubstr("of 3 only the hash is left"));
  EXPECT_EQ(directory_.Run({"audit", "verify", proof, "--key", key_}).exit_code, 0);
  const std::string of_stub = Keep("stub", directory_.Run({"audit", "prove", "14"}).out);
  const CliResult shown = directory_.Run({"audit", "verify", of_stub, "--key", key_});
  EXPECT_EQ(shown.exit_code, 0) << shown.error;
}

TEST_F(AuditedStore, ABackupHoldsAndHasNoKey) {
  const std::string backups = (root() / "backups").string();
  directory_.Json({"backup", backups});
  const CliResult found =
      RunCli({"audit", "verify", backups, "--checkpoint", checkpoint_, "--key", key_});
  EXPECT_EQ(found.exit_code, 0) << found.error;
  const std::string secret = ReadFile(directory_.data() / "audit" / "key");
  ASSERT_THAT(secret, HasSubstr("PRIVATE+KEY+"));
  for (const auto& [name, bytes] : Snapshot(backups)) {
    EXPECT_EQ(name.find("audit"), std::string::npos) << name;
    EXPECT_EQ(bytes.find("PRIVATE+KEY"), std::string::npos) << name;
    EXPECT_EQ(bytes.find(secret.substr(secret.rfind('+'))), std::string::npos) << name;
  }
  const CliResult refused = RunCli({"audit", "key", "--data", backups + "/000001"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.error, HasSubstr("is a backup: it has no key"));
}

TEST_F(AuditedStore, ARestoreIsALineageAndNoSecondHistory) {
  const std::string backups = (root() / "backups").string();
  const std::string restored = (root() / "restored").string();
  directory_.Json({"backup", backups});
  directory_.Json({"annotate", "T1", "lost"});
  directory_.Json({"annotate", "T1", "lost too"});
  const std::string lost = Keep("lost", directory_.Run({"audit", "checkpoint"}).out);
  ASSERT_EQ(RunCli({"restore", backups, "--data", restored}).exit_code, 0);
  ASSERT_EQ(RunCli({"annotate", "T1", "after", "--data", restored}).exit_code, 0);
  const CliResult before =
      RunCli({"audit", "verify", restored, "--checkpoint", checkpoint_, "--key", key_});
  EXPECT_EQ(before.exit_code, 0) << before.error;
  const CliResult of_lost =
      RunCli({"audit", "verify", restored, "--checkpoint", lost, "--key", key_});
  EXPECT_EQ(of_lost.exit_code, 1);
  EXPECT_THAT(of_lost.error, HasSubstr("of another lineage of this store"));
  const std::string anew = Keep("anew", RunCli({"audit", "checkpoint", "--data", restored}).out);
  EXPECT_THAT(ReadFile(anew), ::testing::Not(HasSubstr("/first\n")));
  const std::string new_key = Keep("new-key", RunCli({"audit", "key", "--data", restored}).out);
  EXPECT_EQ(RunCli({"audit", "verify", restored, "--checkpoint", anew, "--checkpoint", checkpoint_,
                    "--key", key_, "--key", new_key})
                .exit_code,
            0);
}

}  // namespace
}  // namespace sagalog
