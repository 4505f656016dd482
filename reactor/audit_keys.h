// The keys that the audit checkpoints of a data directory are signed with. They stand in its folder
// `audit/`, which no backup holds. docs/audit.md.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "projections/audit_tree.h"
#include "reactor/audit_checkpoint.h"
#include "reactor/signed_note.h"
#include "schema/status.h"

namespace sagalog {

// What is said of the change from one key to the next: a note that both have signed.
struct KeyRotation {
  VerifierKey from;
  VerifierKey to;
  Checkpoint checkpoint;  // what the log was then
  std::string reason;
};

// Of a signed rotation, whose signatures have been checked: by the new key, and by the old one
// unless that was lost.
[[nodiscard]] Result<KeyRotation> ParseRotation(std::string_view note);

// kCorruption when all that signed `note`, a checkpoint, are keys that `rotations` took out of use
// before the log was as long.
[[nodiscard]] Status CheckNotRetired(std::string_view note, std::span<const KeyRotation> rotations);

// Locks the folder for each operation, so that several processes may use it at once. Thread-safe.
class AuditKeys {
 public:
  explicit AuditKeys(const std::filesystem::path& data_directory);

  // All that have ever signed here, the oldest first, the present one last; none when there is no
  // key yet.
  [[nodiscard]] Result<std::vector<VerifierKey>> Known() const;
  // The present one. The first one of a lineage is made. kNotFound when it was there and is gone.
  [[nodiscard]] Result<VerifierKey> Current(std::string_view origin) const;
  // Signs the first `size` events of `tree`, unless that contradicts what was signed before.
  [[nodiscard]] Result<std::string> Sign(const AuditTree& tree, std::uint64_t size) const;
  // A new key takes the place of the present one, of which only the public half stays. The note
  // that says so, which is kept too. `lost`: the old one is gone, and cannot agree.
  [[nodiscard]] Result<std::string> Rotate(const AuditTree& tree, std::string_view reason,
                                           bool lost) const;
  // The largest checkpoint that was signed here, its signature checked; none = nothing was signed.
  // The errors of VerifyCheckpoint.
  [[nodiscard]] Result<std::optional<Checkpoint>> LargestSigned() const;
  // The notes of all rotations, the oldest first.
  [[nodiscard]] Result<std::vector<std::string>> Rotations() const;

 private:
  [[nodiscard]] Result<std::vector<VerifierKey>> ReadKnown() const;
  [[nodiscard]] Result<std::optional<SignerKey>> ReadSigner() const;
  [[nodiscard]] Result<SignerKey> SignerFor(std::string_view origin) const;
  Status Install(const SignerKey& key) const;
  [[nodiscard]] Status CheckHistory(const AuditTree& tree, std::string_view origin,
                                    std::uint64_t& signed_size) const;

  const std::filesystem::path directory_;
};

}  // namespace sagalog
