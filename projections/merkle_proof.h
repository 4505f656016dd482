// Proofs over the Merkle tree of a log (RFC 6962, section 2.1; RFC 9162, section 2.1): that an
// event is in it, and that a longer log goes on where a shorter one ended.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "projections/merkle_tree.h"
#include "schema/event_stub.h"
#include "schema/status.h"

namespace sagalog {

// What stands for the first `size` events of a log.
struct TreeHead {
  std::uint64_t size = 0;
  EventHash root{};

  friend bool operator==(const TreeHead&, const TreeHead&) = default;
};

// From the leaves upwards.
using MerkleProof = std::vector<EventHash>;

// Where the roots of complete subtrees come from.
class MerkleNodes {
 public:
  virtual ~MerkleNodes() = default;
  // Of the 2^level leaves from index * 2^level on. Only asked for where all of them are there.
  [[nodiscard]] virtual Result<EventHash> Node(unsigned level, std::uint64_t index) const = 0;
};

// The root of the first `size` leaves.
[[nodiscard]] Result<EventHash> RootOf(const MerkleNodes& nodes, std::uint64_t size);
// That leaf `index`, counted from 0, is among the first `size` leaves; `index` must be below.
[[nodiscard]] Result<MerkleProof> ProveInclusion(const MerkleNodes& nodes, std::uint64_t index,
                                                 std::uint64_t size);
// That the first `old_size` leaves are the beginning of the first `size`; not more than those.
[[nodiscard]] Result<MerkleProof> ProveConsistency(const MerkleNodes& nodes, std::uint64_t old_size,
                                                   std::uint64_t size);

// Whether `proof` shows it. These are pure, and take any bytes.
[[nodiscard]] bool VerifyInclusion(const EventHash& leaf, std::uint64_t index, const TreeHead& head,
                                   std::span<const EventHash> proof);
[[nodiscard]] bool VerifyConsistency(const TreeHead& old_head, const TreeHead& head,
                                     std::span<const EventHash> proof);

}  // namespace sagalog
