// What `sagalog audit verify` does: a record, or a proof, held against checkpoints and public keys.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "reactor/audit_checkpoint.h"
#include "reactor/signed_note.h"
#include "reactor/verify_record.h"
#include "schema/status.h"

namespace sagalog::tools {

struct AuditVerification {
  // A data directory, a backup or a directory of them, an export, or a proof.
  std::filesystem::path path;
  // Files with signed checkpoints.
  std::vector<std::string> checkpoints;
  // Verifier keys, or files of them.
  std::vector<std::string> keys;
  // Files with notes about keys that followed others.
  std::vector<std::string> rotations;
};

struct AuditVerdict {
  // What was verified, of a record.
  RecordReport record;
  // What a proof shows, in words; empty = it was a record.
  std::string proof;
  // What an export shows that is no record, in words; empty = it was something else.
  std::string part;
  std::uint64_t part_events = 0;
  // What else is to be said: what it was held against, or not, and what is known of its origin.
  std::vector<std::string> notes;
  // The keys were the record's own: whoever can write there could have forged all of it.
  bool own_keys = false;
};

// kInvalidArgument: another store, lineage or key than was asked about, no such file, or a proof
// that cannot be held against any of the checkpoints. kNotFound: no key, or one that signed nothing
// here. kCorruption: altered or damaged, or two histories were signed.
[[nodiscard]] Result<AuditVerdict> Verify(const AuditVerification& wanted);

// What the file `path` says; whoever signed it. kInvalidArgument when it is no checkpoint.
[[nodiscard]] Result<Checkpoint> ReadCheckpoint(const std::string& path);

}  // namespace sagalog::tools
