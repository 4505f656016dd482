#include "projections/audit_tree.h"

#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "eventlog/memory_disk.h"
#include "eventlog/memory_log.h"
#include "tests/eventlog/sample_events.h"
#include "tests/eventlog/scratch_directory.h"

namespace sagalog {
namespace {

// Three whole groups of the tree and a rest.
constexpr std::size_t kEvents = 3 * 256 + 77;

class AuditTreeOnDisk : public testing::Test {
 protected:
  void SetUp() override {
    log_ = *MemoryLog::Open(disk_);
    Append(kEvents);
  }

  void Append(std::size_t count) { ASSERT_TRUE(AppendAll(*log_, sample_.Batch(count)).ok()); }

  std::unique_ptr<AuditTree> Open(AuditTree::Mode mode = AuditTree::Mode::kKeep) {
    auto tree = AuditTree::Open(*log_, directory(), mode);
    EXPECT_TRUE(tree.ok()) << tree.status().text();
    return *std::move(tree);
  }

  // Every root and some proofs, against the tree that is built leaf by leaf.
  void ExpectRight(const AuditTree& tree) const {
    ASSERT_EQ(tree.size(), log_->Last().value());
    MerkleTree whole;
    std::vector<TreeHead> heads = {{0, whole.Root()}};
    std::vector<EventHash> leaves;
    ASSERT_TRUE(log_->Scan(Sequence(1), log_->Last(),
                           [&](const events::Event& event, std::string_view bytes) {
                             leaves.push_back(LeafHash(event, bytes));
                             whole.Append(leaves.back());
                             heads.push_back({whole.size(), whole.Root()});
                             return Status();
                           })
                    .ok());
    for (std::size_t size = 0; size < heads.size(); size += 1 + size / 100) {
      ASSERT_EQ(*tree.HeadAt(size), heads[size]) << size;
    }
    ASSERT_EQ(*tree.HeadAt(tree.size()), heads.back());
    for (std::size_t index = 0; index < leaves.size(); index += 97) {
      const MerkleProof proof = *ProveInclusion(tree, index, tree.size());
      ASSERT_TRUE(VerifyInclusion(leaves[index], index, heads.back(), proof)) << index;
      const MerkleProof consistency = *ProveConsistency(tree, index, tree.size());
      ASSERT_TRUE(VerifyConsistency(heads[index], heads.back(), consistency)) << index;
    }
  }

  std::filesystem::path directory() const { return scratch_.path() / "audit"; }

  ScratchDirectory scratch_;
  MemoryDisk disk_;
  SampleEvents sample_;
  std::unique_ptr<MemoryLog> log_;
};

TEST_F(AuditTreeOnDisk, HasTheRootsAndProofsOfTheLog) {
  const auto tree = Open();
  EXPECT_EQ(tree->size(), 0U);
  ASSERT_TRUE(tree->CatchUp(log_->Last()).ok());
  ExpectRight(*tree);
}

TEST_F(AuditTreeOnDisk, GoesOnAfterReopening) {
  ASSERT_TRUE(Open()->CatchUp(Sequence(600)).ok());
  auto tree = Open();
  EXPECT_EQ(tree->size(), 512U) << "the rest of a group is hashed again";
  ASSERT_TRUE(tree->CatchUp(log_->Last()).ok());
  ExpectRight(*tree);
  Append(500);
  ASSERT_TRUE(tree->CatchUp(log_->Last()).ok());
  ExpectRight(*tree);
}

TEST_F(AuditTreeOnDisk, IsTheSameInMemory) {
  const auto tree = AuditTree::Open(*log_, {}, AuditTree::Mode::kReadOnly);
  ASSERT_TRUE((*tree)->CatchUp(log_->Last()).ok());
  ExpectRight(**tree);
}

TEST_F(AuditTreeOnDisk, IsReadWhileAnotherKeepsIt) {
  const auto keeper = Open();
  ASSERT_TRUE(keeper->CatchUp(Sequence(600)).ok());
  const auto before = Snapshot(directory());
  const auto reader = Open();
  EXPECT_EQ(reader->size(), 512U);
  ASSERT_TRUE(reader->CatchUp(log_->Last()).ok());
  ExpectRight(*reader);
  EXPECT_EQ(Snapshot(directory()), before);
}

TEST_F(AuditTreeOnDisk, OfAnotherLogIsThrownAway) {
  ASSERT_TRUE(Open()->CatchUp(log_->Last()).ok());
  MemoryDisk other_disk;
  SampleEvents other;
  log_ = *MemoryLog::Open(other_disk);
  other.Next("a");
  ASSERT_TRUE(AppendAll(*log_, SampleEvents().Batch(1)).ok());
  std::vector<std::string> events;
  for (std::size_t i = 1; i < kEvents; ++i) {
    events.push_back(other.Next("a", "another text"));
  }
  ASSERT_TRUE(AppendAll(*log_, events).ok());
  const auto tree = Open();
  EXPECT_EQ(tree->size(), 0U);
  ASSERT_TRUE(tree->CatchUp(log_->Last()).ok());
  ExpectRight(*tree);
  log_.reset();
}

// Whatever happens to its files, what it says is right, or it says nothing.
TEST_F(AuditTreeOnDisk, DamagedAnywhereSaysNothingWrong) {
  ASSERT_TRUE(Open()->CatchUp(log_->Last()).ok());
  std::size_t found = 0;
  for (const auto& [name, bytes] : Snapshot(directory())) {
    for (std::size_t offset = 0; offset < bytes.size(); offset += 5) {
      FlipByte(directory() / name, offset);
      const auto tree = Open(AuditTree::Mode::kReadOnly);
      ASSERT_TRUE(tree->CatchUp(log_->Last()).ok()) << name << " at " << offset;
      const auto said = tree->HeadAt(kEvents);
      found += said.ok() ? 0 : 1;
      if (said.ok()) {
        MerkleTree whole;
        ASSERT_TRUE(log_->Scan(Sequence(1), log_->Last(),
                               [&](const events::Event& event, std::string_view all) {
                                 whole.Append(LeafHash(event, all));
                                 return Status();
                               })
                        .ok());
        ASSERT_EQ(said->root, whole.Root()) << name << " at " << offset;
      } else {
        EXPECT_EQ(said.status().code(), Code::kCorruption);
      }
      WriteFile(directory() / name, bytes);
    }
  }
  EXPECT_GT(found, 0U) << "damage in front of the last hash is found when it is read";
}

TEST_F(AuditTreeOnDisk, ThatWasCutOffIsMadeAgain) {
  ASSERT_TRUE(Open()->CatchUp(log_->Last()).ok());
  std::filesystem::resize_file(directory() / "nodes-08", 100);
  const auto tree = Open();
  EXPECT_EQ(tree->size(), 512U);
  ASSERT_TRUE(tree->CatchUp(log_->Last()).ok());
  ExpectRight(*tree);
}

TEST_F(AuditTreeOnDisk, CarriesItsLevels) {
  // 2^16 events, and so a hash of the next file.
  for (int i = 0; i < 35; ++i) {
    Append(2'000);
  }
  ASSERT_TRUE(Open()->CatchUp(Sequence(70'000)).ok());
  const auto tree = Open();
  ASSERT_EQ(tree->size(), 70'000U / 256 * 256);
  ASSERT_TRUE(tree->CatchUp(log_->Last()).ok());
  EXPECT_EQ(std::filesystem::file_size(directory() / "nodes-16"), 36U);
  ExpectRight(*tree);
}

}  // namespace
}  // namespace sagalog
