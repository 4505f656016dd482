// The audit tree behind a running store, and its checkpoints and proofs over HTTP.
#include "reactor/audit_trail.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reactor/audit_checkpoint.h"
#include "schema/base64.h"
#include "tests/reactor/api_store.h"

namespace sagalog {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class FollowedStore : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = api_.folder() / "audited";
    trail_ = *AuditTrail::Open(api_.store().log(), folder_);
    for (const char* saga : {"T1", "T2", "T3"}) {
      api_.Post("/v1/sagas", std::string(R"({"saga_id":")") + saga + "\"}");
    }
  }
  void TearDown() override { trail_.reset(); }

  std::uint64_t Last() { return api_.store().log().Last().value(); }
  VerifierKey Key() { return AuditKeys(folder_).Known()->back(); }
  TreeHead HeadNow() {
    MerkleTree tree;
    EXPECT_TRUE(api_.store()
                    .log()
                    .Scan(Sequence(1), Sequence(Last()),
                          [&tree](const events::Event& event, std::string_view bytes) {
                            tree.Append(LeafHash(event, bytes));
                            return Status();
                          })
                    .ok());
    return {tree.size(), tree.Root()};
  }

  ApiStore api_;
  fs::path folder_;
  std::unique_ptr<AuditTrail> trail_;
};

TEST_F(FollowedStore, ChecksPointsOfAllThatIsDurable) {
  for (int i = 0; i < 3; ++i) {
    const auto note = trail_->TakeCheckpoint();
    ASSERT_TRUE(note.ok()) << note.status().text();
    const auto checkpoint = VerifyCheckpoint(*note, std::array{Key()});
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.status().text();
    EXPECT_EQ(checkpoint->head, HeadNow());
    EXPECT_EQ(trail_->Lag(), 0U);
    api_.Post("/v1/sagas/T1:annotate", R"({"text":"more"})");
  }
}

TEST_F(FollowedStore, AnswersCheckpointsAsNotes) {
  const ApiResponse response = api_.Send("GET", "/v1/audit/checkpoint");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.content_type, HasSubstr("text/plain"));
  EXPECT_EQ(VerifyCheckpoint(response.body, std::array{Key()})->head, HeadNow());
}

MerkleProof PathOf(const boost::json::object& document) {
  MerkleProof path;
  for (const auto& text : document.at("path").as_array()) {
    const auto bytes = DecodeBase64(std::string(text.as_string()));
    path.emplace_back();
    std::copy(bytes->begin(), bytes->end(), path.back().begin());
  }
  return path;
}

TEST_F(FollowedStore, AnswersProofsThatHold) {
  const auto event = Document(api_.Send("GET", "/v1/audit/proof?sequence=2"));
  EXPECT_EQ(Member(event, "index"), "1");
  EXPECT_EQ(Member(event, "sequence"), std::to_string(Last()));
  const auto bytes = DecodeBase64(Member(event, "event"));
  ASSERT_TRUE(bytes);
  const std::string text(bytes->begin(), bytes->end());
  EXPECT_EQ(text, api_.store().log().Read(Sequence(2))->bytes());
  EXPECT_TRUE(VerifyInclusion(LeafHash(text), 1, HeadNow(), PathOf(event)));
  EXPECT_EQ(Member(event, "root"), ToBase64(HeadNow().root));

  const TreeHead before = HeadNow();
  api_.Post("/v1/sagas/T1:annotate", R"({"text":"more"})");
  const std::string from = "/v1/audit/proof?from=" + std::to_string(before.size);
  const auto growth = Document(api_.Send("GET", from));
  EXPECT_EQ(Member(growth, "from_root"), ToBase64(before.root));
  EXPECT_TRUE(VerifyConsistency(before, HeadNow(), PathOf(growth)));
}

TEST_F(FollowedStore, RefusesWhatThereIsNotAndWhatIsUnclear) {
  const auto status = [&](const char* target) { return api_.Send("GET", target).status; };
  EXPECT_EQ(status("/v1/audit/proof?sequence=1000"), 404);
  EXPECT_EQ(status("/v1/audit/proof?from=1000"), 404);
  EXPECT_EQ(status("/v1/audit/proof"), 400);
  EXPECT_EQ(status("/v1/audit/proof?sequence=1&from=1"), 400);
  EXPECT_EQ(status("/v1/audit/proof?sequence=0"), 400);
  EXPECT_EQ(status("/v1/audit/checkpoint?more=1"), 400);
  trail_.reset();
  EXPECT_EQ(status("/v1/audit/checkpoint"), 404) << "no tree is kept";
  EXPECT_EQ(status("/v1/audit/proof?sequence=1"), 404);
}

TEST_F(FollowedStore, SaysHowFarBehindItIs) {
  ASSERT_TRUE(trail_->TakeCheckpoint().ok());
  EXPECT_THAT(api_.Send("GET", "/metrics").body, HasSubstr("\nsagalog_audit_lag_events 0\n"));
  EXPECT_EQ(Member(Document(api_.Send("GET", "/v1/status")), "audit_lag_events"), "0");
}

TEST_F(FollowedStore, IsMadeAgainWhenItsFilesAreTakenAway) {
  for (int i = 0; i < 300; ++i) {
    api_.Post("/v1/sagas/T1:annotate", R"({"text":"more"})");
  }
  ASSERT_TRUE(trail_->TakeCheckpoint().ok());
  fs::remove_all(folder_ / "projections");
  for (int i = 0; i < 300; ++i) {
    api_.Post("/v1/sagas/T1:annotate", R"({"text":"more"})");
  }
  EXPECT_EQ(VerifyCheckpoint(*trail_->TakeCheckpoint(), std::array{Key()})->head, HeadNow());
  trail_.reset();
  fs::remove_all(folder_ / "projections");
  trail_ = *AuditTrail::Open(api_.store().log(), folder_);
  EXPECT_EQ(VerifyCheckpoint(*trail_->TakeCheckpoint(), std::array{Key()})->head, HeadNow());
}

TEST_F(FollowedStore, SignsAtAnySizeForWhoReadsTheLog) {
  const auto note = SignedCheckpointAt(folder_, api_.store().log(), Sequence(2));
  ASSERT_TRUE(note.ok()) << note.status().text();
  EXPECT_EQ(VerifyCheckpoint(*note, std::array{Key()})->head.size, 2U);
  EXPECT_FALSE(SignedCheckpointAt(folder_, api_.store().log(), Sequence(1000)).ok());
}

}  // namespace
}  // namespace sagalog
