// Whether a concurrent history of one register can be put into an order that explains it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sagalog {

// A stage as callers saw it: read, or compared and swapped. `asked` and `answered` are taken from
// one counter that all callers share.
struct StageOperation {
  std::uint64_t asked = 0;
  std::uint64_t answered = 0;
  bool swaps = false;
  std::string expected;  // of a swap
  std::string next;      // of a swap
  bool swapped = false;  // whether it was answered with yes
  std::string seen;      // of a read, or of a refused swap
};

// Searches an order in which no operation comes before one that was answered before it was asked
// for, and in which each sees what those before it left. 64 operations at most.
[[nodiscard]] bool IsLinearizable(const std::vector<StageOperation>& history,
                                  const std::string& initial);

}  // namespace sagalog
