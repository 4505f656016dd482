// The proof that a store is what it says it is, from the bytes up; the first thing that is not.
#pragma once

#include <cstdint>
#include <string>

#include "reactor/store.h"

namespace sagalog {

// What was found. The names, in the order in which they are looked for: docs/guarantees.md, What
// verify checks.
struct Verification {
  VerifyReport report;
  // Of what is broken: "log_is_whole", an invariant, "projections_are_the_fold"; empty = nothing.
  std::string invariant;
  // Of how many events only a hash of what was written is left: compacted or redacted.
  std::uint64_t hashes_only = 0;
};

// Reads every event, checks it against what the events before it made true, and compares what they
// fold to with the rows on disk. Beside commands; memory does not grow with the log. An error only
// when it could not be found out.
[[nodiscard]] Result<Verification> VerifyAll(Store& store);

}  // namespace sagalog
