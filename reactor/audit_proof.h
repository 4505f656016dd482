// Proofs that can be handed on: of one event, and of the log's growth, each with the signed
// checkpoint that it leads to. Their text: docs/audit.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "eventlog/event_log.h"
#include "projections/audit_tree.h"
#include "projections/merkle_proof.h"
#include "reactor/audit_checkpoint.h"
#include "reactor/audit_keys.h"
#include "reactor/signed_note.h"
#include "schema/id.h"
#include "schema/status.h"

namespace sagalog {

// That an event is in the log.
struct EventProof {
  std::uint64_t index = 0;  // its sequence minus one
  // Its bytes. What is left of a compacted or redacted event names the hash that is in the tree,
  // and the proof is of that hash alone: IsOfHashOnly.
  std::string event;
  MerkleProof path;
  std::string checkpoint;  // a signed note
};

// That a log goes on from where it was before.
struct GrowthProof {
  TreeHead from;
  MerkleProof path;
  std::string checkpoint;  // a signed note
};

// Whether only a hash is proven, and nothing that the proof's event says beside its sequence. Of a
// proof that VerifyProof took.
[[nodiscard]] bool IsOfHashOnly(const EventProof& proof);

using AuditProof = std::variant<EventProof, GrowthProof>;

[[nodiscard]] std::string ToText(const EventProof& proof);
[[nodiscard]] std::string ToText(const GrowthProof& proof);
// kInvalidArgument when it is neither.
[[nodiscard]] Result<AuditProof> ParseAuditProof(std::string_view text);

// Both of all that `tree` holds, which is the tree of `log`; kNotFound for what is beyond it.
[[nodiscard]] Result<EventProof> ProveEvent(const AuditTree& tree, const EventLog& log,
                                            const AuditKeys& keys, Sequence sequence);
[[nodiscard]] Result<GrowthProof> ProveGrowth(const AuditTree& tree, const AuditKeys& keys,
                                              std::uint64_t from);

// The checkpoint that it leads to, when one of `keys` signed that and the proof holds; errors as of
// VerifyCheckpoint.
[[nodiscard]] Result<Checkpoint> VerifyProof(const AuditProof& proof,
                                             std::span<const VerifierKey> keys);

}  // namespace sagalog
