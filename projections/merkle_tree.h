// The Merkle tree over the events of a log (RFC 6962, section 2.1), as far as its root needs it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/event_stub.h"
#include "schema/events_generated.h"

namespace sagalog {

// Of one leaf: SHA-256 of a zero byte and its bytes.
[[nodiscard]] EventHash LeafHash(std::string_view bytes);
// The leaf of `event`, whose bytes are `bytes`. A stub's is that of the event as it was written, so
// that compaction changes no root.
[[nodiscard]] EventHash LeafHash(const events::Event& event, std::string_view bytes);
// Of an inner node: SHA-256 of a one and both hashes.
[[nodiscard]] EventHash NodeHash(const EventHash& left, const EventHash& right);

// As audit checkpoints and `store_restored` write it.
[[nodiscard]] std::string ToBase64(const EventHash& hash);

// Grows by one leaf at a time; its memory by the logarithm of that. One thread.
class MerkleTree {
 public:
  // Called with each node that a leaf completes, the lowest first: its level, 1 or more, and hash.
  using NodeVisitor = std::function<void(unsigned level, const EventHash& node)>;

  void Append(const EventHash& leaf);
  void Append(const EventHash& leaf, const NodeVisitor& visit);
  [[nodiscard]] std::uint64_t size() const { return size_; }
  // Of no leaves: SHA-256 of nothing.
  [[nodiscard]] EventHash Root() const;

 private:
  std::uint64_t size_ = 0;
  // The roots of the complete trees it is made of, the largest first: one for each bit of size_.
  std::vector<EventHash> complete_;
};

}  // namespace sagalog
