// Signed checkpoints of a log: how many events it holds, and the root of their Merkle tree, as a
// note that other tools can read and witness (https://c2sp.org/tlog-checkpoint). docs/audit.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "eventlog/event_log.h"
#include "projections/audit_tree.h"
#include "projections/merkle_proof.h"
#include "reactor/signed_note.h"
#include "schema/status.h"

namespace sagalog {

struct Checkpoint {
  // Lineages::OriginAt: of which log it is.
  std::string origin;
  TreeHead head;

  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

// The text that is signed.
[[nodiscard]] std::string CheckpointText(const Checkpoint& checkpoint);
// Lines behind the third are passed over. kInvalidArgument when it is none.
[[nodiscard]] Result<Checkpoint> ParseCheckpointText(std::string_view text);

// What the signed `note` says, when one of `keys` has signed it whose name is the origin that it
// speaks of. kInvalidArgument when it is no checkpoint, kNotFound when it is signed by none of
// them, kCorruption when a signature does not hold, or is of the key of another origin.
[[nodiscard]] Result<Checkpoint> VerifyCheckpoint(std::string_view note,
                                                  std::span<const VerifierKey> keys);

// A checkpoint of the first `size` events of `log`, which is that of the data directory, signed
// with its key; a directory without keys gets them. Also beside a daemon. kCorruption when the log
// is not the one that a checkpoint was signed of before: no second history is ever signed.
[[nodiscard]] Result<std::string> SignedCheckpointAt(const std::filesystem::path& data_directory,
                                                     const EventLog& log, Sequence size);

// The tree of that log, as far as it is kept in the directory; for `size` events at least.
[[nodiscard]] Result<std::unique_ptr<AuditTree>> OpenAuditTree(
    const std::filesystem::path& data_directory, const EventLog& log, Sequence size);

}  // namespace sagalog
