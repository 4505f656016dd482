// Of compacted and redacted events only a hash is signed: what nobody may put beside it.
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "projections/merkle_tree.h"
#include "schema/event_encoder.h"
#include "tests/eventlog/scratch_directory.h"
#include "tests/tools/cli_directory.h"
#include "tests/tools/forged_record.h"

namespace sagalog {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

// `bytes` with another content, that names the leaf of the true one: the tree stays as it is.
std::string Disguised(const std::string& bytes,
                      const std::function<void(events::EventT&)>& change) {
  const events::Event& event = *events::GetEvent(bytes.data());
  events::EventT other;
  event.UnPackTo(&other);
  const EventHash leaf = LeafHash(event, bytes);
  other.original_hash.assign(leaf.begin(), leaf.end());
  change(other);
  return std::string(EventEncoder().Encode(other));
}

// As compaction leaves a heartbeat.
void BecomeHeartbeat(events::EventT& event) {
  event.actor.clear();
  event.principal.clear();
  event.wall_time = 0;
  event.request_content = 0;
  event.request_id = nullptr;
  events::HeartbeatedT heartbeat;
  heartbeat.expires_at = event.time + 60'000'000;
  event.body.Set(std::move(heartbeat));
}

// 1 store_opened, 2 planned T1, 3 planned T2, 4 leased T1, 5 to 7 heartbeated T1, 8 annotated T2,
// 9 terminal T1, 10 annotated T2; then a checkpoint and the public key were kept.
class AuditedStubs : public testing::Test {
 protected:
  void SetUp() override {
    directory_.Json({"plan", "T1"});
    directory_.Json({"plan", "T2"});
    const std::string token = directory_.Token({"acquire", "T1", "--owner", "w", "--ttl", "60s"});
    for (const char* ttl : {"61s", "62s", "63s"}) {
      directory_.Json({"heartbeat", "T1", "--token", token, "--ttl", ttl});
    }
    directory_.Json({"annotate", "T2", "the password is hunter2"});
    directory_.Json({"complete", "T1", "--token", token});
    directory_.Json({"annotate", "T2", "later"});
    KeepCheckpoint();
    key_ = Keep("key", directory_.Run({"audit", "key"}).out);
  }

  void KeepCheckpoint() {
    checkpoint_ = Keep("checkpoint", directory_.Run({"audit", "checkpoint"}).out);
  }
  std::string Keep(const std::string& name, const std::string& text) {
    fs::create_directories(directory_.root() / "kept");
    const fs::path path = directory_.root() / "kept" / name;
    WriteFile(path, text);
    return path.string();
  }
  void Disguise(std::uint64_t sequence, const std::function<void(events::EventT&)>& change) {
    RewriteRaw(directory_.data(),
               [&](RawEvents& events) { events[sequence] = Disguised(events[sequence], change); });
  }
  CliResult Verify() {
    return directory_.Run({"audit", "verify", "--checkpoint", checkpoint_, "--key", key_});
  }
  void ExpectAltered(const std::string& said) {
    const CliResult found = Verify();
    EXPECT_EQ(found.exit_code, 3) << found.out << found.error;
    EXPECT_THAT(found.error, HasSubstr(said));
  }

  CliDirectory directory_;
  std::string key_;
  std::string checkpoint_;
};

TEST_F(AuditedStubs, AnEventThatWasNeverRedactedIsNotBelieved) {
  Disguise(4, [](events::EventT& event) { event.body.AsLeased()->owner->owner = "mallory"; });
  ExpectAltered("of event 4 only the hash is left, and no later event says why");
}

TEST_F(AuditedStubs, AnEventIsNotMadeAHeartbeat) {
  Disguise(8, BecomeHeartbeat);
  ExpectAltered("event 10 is damaged: it names 8 as the previous transition, not 3");
}

TEST_F(AuditedStubs, TheLastEventOfASagaIsNotMadeAHeartbeat) {
  Disguise(9, BecomeHeartbeat);
  ExpectAltered("of event 9 only the hash is left, and no later event says why");
}

TEST_F(AuditedStubs, ACompactedHeartbeatIsNotGivenToAnotherSaga) {
  ASSERT_EQ(Word(directory_.Json({"compact", "--older-than", "0s"}), "stubs"), "3");
  EXPECT_EQ(Verify().exit_code, 0) << Verify().error;
  Disguise(6, [](events::EventT& event) {
    event.saga_id = "T2";
    event.version = 2;
    event.previous = 3;
    event.previous_transition = 3;
  });
  EXPECT_EQ(Verify().exit_code, 3);
}

TEST_F(AuditedStubs, WhatIsLeftOfARedactedEventIsNotChanged) {
  directory_.Json({"redact", "8", "--reason", "a password"});
  KeepCheckpoint();
  const CliResult whole = Verify();
  EXPECT_EQ(whole.exit_code, 0) << whole.error;
  EXPECT_THAT(whole.out, Not(HasSubstr("are vouched for by events")));
  EXPECT_EQ(directory_.Run({"verify"}).exit_code, 0);
  Disguise(8, [](events::EventT& event) { event.body.AsAnnotated()->text = "I did it"; });
  ExpectAltered("what is left of event 8 is not what event 11 says was left of it");
  const CliResult folded = directory_.Run({"verify"});
  EXPECT_EQ(folded.exit_code, 3);
  EXPECT_THAT(folded.error + folded.out, HasSubstr("what is left of event 8"));
}

// Whoever has no key may still say, behind the checkpoint, that an event was redacted.
TEST_F(AuditedStubs, ARedactionBehindTheCheckpointIsCalledThat) {
  directory_.Json({"redact", "8", "--reason", "a password"});
  const CliResult found = Verify();
  EXPECT_EQ(found.exit_code, 0) << found.error;
  EXPECT_THAT(found.out, HasSubstr("1 of them is vouched for by events behind the 10 that were "
                                   "signed"));
}

TEST_F(AuditedStubs, AProofOfAHashSaysThatItIsOne) {
  const std::string of_event = Keep("event", directory_.Run({"audit", "prove", "4"}).out);
  EXPECT_THAT(directory_.Run({"audit", "verify", of_event, "--key", key_}).out,
              HasSubstr("ok: event 4 is among"));
  directory_.Json({"redact", "8", "--reason", "a password"});
  const std::string of_hash = Keep("hash", directory_.Run({"audit", "prove", "8"}).out);
  const CliResult shown = directory_.Run({"audit", "verify", of_hash, "--key", key_});
  EXPECT_EQ(shown.exit_code, 0) << shown.error;
  EXPECT_THAT(shown.out, HasSubstr("ok: the hash of event 8 is among"));
  EXPECT_THAT(shown.out, HasSubstr("nothing else that the proof says of the event is proven"));
}

}  // namespace
}  // namespace sagalog
