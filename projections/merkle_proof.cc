#include "projections/merkle_proof.h"

#include <bit>

#include "schema/check.h"

namespace sagalog {
namespace {

// Leaves `begin` up to `end`. Wherever the algorithms cut the tree, `begin` is a multiple of the
// smallest power of two that is not below their count.
struct Range {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  [[nodiscard]] std::uint64_t count() const { return end - begin; }
  // Behind the largest power of two below the count.
  [[nodiscard]] std::uint64_t middle() const { return begin + std::bit_floor(count() - 1); }
  [[nodiscard]] Range left() const { return {begin, middle()}; }
  [[nodiscard]] Range right() const { return {middle(), end}; }
};

Result<EventHash> RootOf(const MerkleNodes& nodes, Range range) {
  if (std::has_single_bit(range.count())) {
    const auto level = static_cast<unsigned>(std::countr_zero(range.count()));
    return nodes.Node(level, range.begin >> level);
  }
  ASSIGN_OR_RETURN(const EventHash left, RootOf(nodes, range.left()));
  ASSIGN_OR_RETURN(const EventHash right, RootOf(nodes, range.right()));
  return NodeHash(left, right);
}

bool IsOdd(std::uint64_t number) { return (number & 1) != 0; }

// The places of a node and of the last node of its level, on the way to the root.
struct Climb {
  std::uint64_t node;
  std::uint64_t last;

  // To the first level at which the node has a sibling on its left, or is the first.
  void ToRightChild() {
    while (!IsOdd(node) && node != 0) {
      Up();
    }
  }
  [[nodiscard]] bool HasLeftSibling() const { return IsOdd(node) || node == last; }
  void Up() {
    node >>= 1;
    last >>= 1;
  }
};

}  // namespace

Result<EventHash> RootOf(const MerkleNodes& nodes, std::uint64_t size) {
  if (size == 0) {
    return MerkleTree().Root();
  }
  return RootOf(nodes, Range{0, size});
}

Result<MerkleProof> ProveInclusion(const MerkleNodes& nodes, std::uint64_t index,
                                   std::uint64_t size) {
  CHECK(index < size);
  MerkleProof proof;
  for (Range range{0, size}; range.count() > 1;) {
    const bool on_the_left = index < range.middle();
    ASSIGN_OR_RETURN(const EventHash other,
                     RootOf(nodes, on_the_left ? range.right() : range.left()));
    proof.insert(proof.begin(), other);
    range = on_the_left ? range.left() : range.right();
  }
  return proof;
}

Result<MerkleProof> ProveConsistency(const MerkleNodes& nodes, std::uint64_t old_size,
                                     std::uint64_t size) {
  CHECK(old_size <= size);
  MerkleProof proof;
  if (old_size == 0) {
    return proof;
  }
  Range range{0, size};
  // As long as the old tree is the whole of the left side, its verifier knows that root already.
  bool root_is_known = true;
  while (range.end != old_size) {
    const bool on_the_left = old_size <= range.middle();
    ASSIGN_OR_RETURN(const EventHash other,
                     RootOf(nodes, on_the_left ? range.right() : range.left()));
    proof.insert(proof.begin(), other);
    root_is_known = root_is_known && on_the_left;
    range = on_the_left ? range.left() : range.right();
  }
  if (!root_is_known) {
    ASSIGN_OR_RETURN(const EventHash rest, RootOf(nodes, range));
    proof.insert(proof.begin(), rest);
  }
  return proof;
}

bool VerifyInclusion(const EventHash& leaf, std::uint64_t index, const TreeHead& head,
                     std::span<const EventHash> proof) {
  if (index >= head.size) {
    return false;
  }
  Climb climb{index, head.size - 1};
  EventHash hash = leaf;
  for (const EventHash& other : proof) {
    if (climb.last == 0) {
      return false;
    }
    if (climb.HasLeftSibling()) {
      hash = NodeHash(other, hash);
      climb.ToRightChild();
    } else {
      hash = NodeHash(hash, other);
    }
    climb.Up();
  }
  return climb.last == 0 && hash == head.root;
}

bool VerifyConsistency(const TreeHead& old_head, const TreeHead& head,
                       std::span<const EventHash> proof) {
  if (old_head.size > head.size) {
    return false;
  }
  if (old_head.size == head.size) {
    return proof.empty() && old_head.root == head.root;
  }
  if (old_head.size == 0) {
    return proof.empty() && old_head.root == MerkleTree().Root();
  }
  Climb climb{old_head.size - 1, head.size - 1};
  while (IsOdd(climb.node)) {
    climb.Up();
  }
  EventHash old_hash = old_head.root;
  if (!std::has_single_bit(old_head.size)) {
    if (proof.empty()) {
      return false;
    }
    old_hash = proof.front();
    proof = proof.subspan(1);
  }
  EventHash hash = old_hash;
  for (const EventHash& other : proof) {
    if (climb.last == 0) {
      return false;
    }
    if (climb.HasLeftSibling()) {
      old_hash = NodeHash(other, old_hash);
      hash = NodeHash(other, hash);
      climb.ToRightChild();
    } else {
      hash = NodeHash(hash, other);
    }
    climb.Up();
  }
  return climb.last == 0 && old_hash == old_head.root && hash == head.root;
}

}  // namespace sagalog
