// Whether a record is whole and unaltered: its events among themselves, and against checkpoints
// that were signed of it and kept elsewhere. docs/audit.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eventlog/event_log.h"
#include "projections/audit_tree.h"
#include "projections/merkle_proof.h"
#include "reactor/audit_checkpoint.h"
#include "reactor/stub_check.h"
#include "schema/id.h"
#include "schema/status.h"
#include "schema/store_time.h"

namespace sagalog {

// How many redactions a report names: each is an act of a person.
inline constexpr std::size_t kRedactionsNamedMax = 1000;

// An event that was told to have lost what it said.
struct NamedRedaction {
  Sequence event;
  Sequence said_by;  // the event that says so
  StoreTime time;
  std::string actor;  // who did it; empty = nobody was named
  std::string reason;
};

struct RecordReport {
  TreeHead head;  // of all that is there
  Lineages lineages;
  // Events whose own bytes are gone, and whose hash stands for them: compacted heartbeats, and what
  // was redacted.
  std::uint64_t hashes_only = 0;
  // How many of them were redacted, and the first of these redactions; the rest are stubs.
  std::uint64_t redacted = 0;
  std::vector<NamedRedaction> redactions;
  // Of those, how many are vouched for only by events behind the largest checkpoint.
  std::uint64_t vouched_unsigned = 0;
  // The first of those that no event of the record vouches for: one of an export that ends before
  // the event that would, or a forgery.
  std::optional<std::uint64_t> first_unvouched;
  // Of the checkpoints that it was held against, the largest; empty when there was none.
  Checkpoint checkpoint;
};

// Reads all of `log`, which verifies the bytes of each event as it is read, from its first event
// on, and holds it against `checkpoints`, whose signatures were verified. One pass; its memory does
// not grow with the log.
//
// kCorruption, naming the first event or checkpoint that is wrong: an event that stands where
// another belongs, a broken chain of a saga, time that runs back, what is left of an event that is
// not what the record says was left, another root than was signed,
// fewer events than were signed, two roots signed of one size. kInvalidArgument: a checkpoint of
// another store, or of another lineage of this one.
[[nodiscard]] Result<RecordReport> VerifyRecord(const EventLog& log,
                                                std::span<const Checkpoint> checkpoints);

}  // namespace sagalog
