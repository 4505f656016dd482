#include "projections/merkle_proof.h"

#include <bit>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace sagalog {
namespace {

using namespace std::string_literals;

std::string Hex(const EventHash& hash) {
  std::string text;
  for (const std::uint8_t byte : hash) {
    text += fmt::format("{:02x}", byte);
  }
  return text;
}

std::vector<std::string> Hex(const MerkleProof& proof) {
  std::vector<std::string> hashes;
  for (const EventHash& hash : proof) {
    hashes.push_back(Hex(hash));
  }
  return hashes;
}

// All leaves in memory; every node is computed as the RFC defines it.
class Leaves final : public MerkleNodes {
 public:
  explicit Leaves(std::vector<EventHash> leaves) : leaves_(std::move(leaves)) {}
  static Leaves Of(const std::vector<std::string>& texts) {
    std::vector<EventHash> leaves;
    for (const std::string& text : texts) {
      leaves.push_back(LeafHash(text));
    }
    return Leaves(std::move(leaves));
  }
  static Leaves Numbered(std::size_t count) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < count; ++i) {
      texts.push_back(fmt::format("leaf {}", i));
    }
    return Of(texts);
  }

  Result<EventHash> Node(unsigned level, std::uint64_t index) const override {
    return Root(index << level, (index + 1) << level);
  }
  // MTH(D[begin:end]) of RFC 6962, written down as it stands there.
  [[nodiscard]] EventHash Root(std::uint64_t begin, std::uint64_t end) const {
    if (end - begin == 0) {
      return MerkleTree().Root();
    }
    if (end - begin == 1) {
      return leaves_.at(begin);
    }
    const auto known = roots_.find({begin, end});
    if (known != roots_.end()) {
      return known->second;
    }
    const std::uint64_t k = std::bit_floor(end - begin - 1);
    return roots_[{begin, end}] = NodeHash(Root(begin, begin + k), Root(begin + k, end));
  }
  // PATH(m, D[begin:end]).
  [[nodiscard]] MerkleProof Path(std::uint64_t m, std::uint64_t begin, std::uint64_t end) const {
    if (end - begin <= 1) {
      return {};
    }
    const std::uint64_t k = std::bit_floor(end - begin - 1);
    const bool left = m < k;
    MerkleProof path = left ? Path(m, begin, begin + k) : Path(m - k, begin + k, end);
    path.push_back(left ? Root(begin + k, end) : Root(begin, begin + k));
    return path;
  }
  // SUBPROOF(m, D[begin:end], known).
  [[nodiscard]] MerkleProof Subproof(std::uint64_t m, std::uint64_t begin, std::uint64_t end,
                                     bool known) const {
    if (m == end - begin) {
      return known ? MerkleProof() : MerkleProof{Root(begin, end)};
    }
    const std::uint64_t k = std::bit_floor(end - begin - 1);
    const bool left = m <= k;
    MerkleProof proof =
        left ? Subproof(m, begin, begin + k, known) : Subproof(m - k, begin + k, end, false);
    proof.push_back(left ? Root(begin + k, end) : Root(begin, begin + k));
    return proof;
  }
  [[nodiscard]] const EventHash& operator[](std::size_t index) const { return leaves_[index]; }
  [[nodiscard]] TreeHead Head(std::uint64_t size) const { return {size, Root(0, size)}; }

 private:
  std::vector<EventHash> leaves_;
  mutable std::map<std::pair<std::uint64_t, std::uint64_t>, EventHash> roots_;  // computed before
};

Leaves KnownExample() {
  return Leaves::Of({"", "\x00"s, "\x10", "\x20\x21", "\x30\x31", "\x40\x41\x42\x43",
                     "\x50\x51\x52\x53\x54\x55\x56\x57",
                     "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"});
}

constexpr const char* kLeaf0 = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
constexpr const char* kLeaf1 = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
constexpr const char* kNode01 = "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125";
constexpr const char* kNode23 = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
constexpr const char* kNode03 = "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7";
constexpr const char* kLeaf4 = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
constexpr const char* kNode45 = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";
constexpr const char* kNode67 = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";
constexpr const char* kNode47 = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";

using Hashes = std::vector<std::string>;

// Published with the implementations of Certificate Transparency, and tested everywhere.
TEST(MerkleProof, ProvesInclusionAsInTheKnownExample) {
  const Leaves leaves = KnownExample();
  EXPECT_EQ(Hex(*RootOf(leaves, 8)),
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
  EXPECT_EQ(Hex(*ProveInclusion(leaves, 0, 1)), Hashes{});
  EXPECT_EQ(Hex(*ProveInclusion(leaves, 0, 8)), (Hashes{kLeaf1, kNode23, kNode47}));
  EXPECT_EQ(Hex(*ProveInclusion(leaves, 5, 8)), (Hashes{kLeaf4, kNode67, kNode03}));
  EXPECT_EQ(Hex(*ProveInclusion(leaves, 2, 3)), Hashes{kNode01});
  EXPECT_EQ(Hex(*ProveInclusion(leaves, 1, 5)), (Hashes{kLeaf0, kNode23, kLeaf4}));
}

TEST(MerkleProof, ProvesConsistencyAsInTheKnownExample) {
  const Leaves leaves = KnownExample();
  EXPECT_EQ(Hex(*ProveConsistency(leaves, 1, 1)), Hashes{});
  EXPECT_EQ(Hex(*ProveConsistency(leaves, 1, 8)), (Hashes{kLeaf1, kNode23, kNode47}));
  EXPECT_EQ(Hex(*ProveConsistency(leaves, 6, 8)), (Hashes{kNode45, kNode67, kNode03}));
  EXPECT_EQ(Hex(*ProveConsistency(leaves, 2, 5)), (Hashes{kNode23, kLeaf4}));
}

constexpr std::uint64_t kSizeMax = 300;

TEST(MerkleProof, IsThatOfTheDefinitionForEverySizeAndLeaf) {
  const Leaves leaves = Leaves::Numbered(kSizeMax);
  for (std::uint64_t size = 1; size <= kSizeMax; ++size) {
    const TreeHead head = leaves.Head(size);
    ASSERT_EQ(*RootOf(leaves, size), head.root) << size;
    // All leaves of small trees, and some of large ones.
    for (std::uint64_t index = 0; index < size; index += size < 70 ? 1 : 1 + size / 40) {
      const MerkleProof proof = *ProveInclusion(leaves, index, size);
      ASSERT_EQ(proof, leaves.Path(index, 0, size)) << index << " of " << size;
      ASSERT_TRUE(VerifyInclusion(leaves[index], index, head, proof)) << index << " of " << size;
    }
  }
}

TEST(MerkleProof, OfConsistencyIsThatOfTheDefinitionForEveryPairOfSizes) {
  const Leaves leaves = Leaves::Numbered(kSizeMax);
  std::vector<TreeHead> heads;
  for (std::uint64_t size = 0; size <= kSizeMax; ++size) {
    heads.push_back(leaves.Head(size));
  }
  for (std::uint64_t size = 1; size <= kSizeMax; ++size) {
    EXPECT_TRUE(VerifyConsistency(heads[0], heads[size], {}));
    for (std::uint64_t old_size = 1; old_size <= size; old_size += size < 70 ? 1 : 1 + size / 40) {
      const MerkleProof proof = *ProveConsistency(leaves, old_size, size);
      ASSERT_EQ(proof, leaves.Subproof(old_size, 0, size, true)) << old_size << " of " << size;
      ASSERT_TRUE(VerifyConsistency(heads[old_size], heads[size], proof))
          << old_size << " of " << size;
    }
  }
}

// Every proof that differs in any way from the right one.
std::vector<MerkleProof> Spoiled(const MerkleProof& proof, std::mt19937& random) {
  std::vector<MerkleProof> all;
  for (std::size_t i = 0; i < proof.size(); ++i) {
    all.push_back(proof);
    all.back()[i][random() % kEventHashSize] ^= static_cast<std::uint8_t>(1 + random() % 255);
    all.push_back(proof);
    all.back().erase(all.back().begin() + static_cast<std::ptrdiff_t>(i));
  }
  all.push_back(proof);
  all.back().emplace_back();
  all.push_back(proof);
  all.back().insert(all.back().begin(), EventHash{});
  return all;
}

TEST(MerkleProof, ThatWasChangedShowsNothing) {
  const Leaves leaves = Leaves::Numbered(kSizeMax);
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    const std::uint64_t size = 2 + random() % (kSizeMax - 1);
    const TreeHead head = leaves.Head(size);
    const std::uint64_t index = random() % size;
    const MerkleProof proof = *ProveInclusion(leaves, index, size);
    for (const MerkleProof& spoiled : Spoiled(proof, random)) {
      EXPECT_FALSE(VerifyInclusion(leaves[index], index, head, spoiled)) << index << " " << size;
    }
    EXPECT_FALSE(VerifyInclusion(leaves[index], size, head, proof));
    EXPECT_FALSE(VerifyInclusion(leaves[(index + 1) % size], index, head, proof));
    EXPECT_FALSE(VerifyInclusion(leaves[index], index ^ 1, head, proof));
    const std::uint64_t old_size = 1 + random() % (size - 1);
    const TreeHead old_head = leaves.Head(old_size);
    const MerkleProof consistency = *ProveConsistency(leaves, old_size, size);
    for (const MerkleProof& spoiled : Spoiled(consistency, random)) {
      EXPECT_FALSE(VerifyConsistency(old_head, head, spoiled)) << old_size << " " << size;
    }
    EXPECT_FALSE(VerifyConsistency({old_size, EventHash{}}, head, consistency));
    EXPECT_FALSE(VerifyConsistency(head, old_head, consistency));
    EXPECT_FALSE(VerifyConsistency(head, {size, old_head.root}, {}));
  }
}

}  // namespace
}  // namespace sagalog
