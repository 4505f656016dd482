// How much of the time of the thread that runs the sockets goes to those who follow the log: what
// is to spare, and never less than a small part of it.
#pragma once

#include <chrono>
#include <cstdint>

namespace sagalog {

// Every turn is followed by a rest that is longer than what it took, many times longer while
// requests come. Knows no clock: times are measured by its user, from any beginning.
class TurnBudget {
 public:
  using Time = std::chrono::nanoseconds;

  // Whether a turn may begin.
  [[nodiscard]] bool MayBegin(Time now) const { return now >= next_; }
  // When the next one may.
  [[nodiscard]] Time next() const { return next_; }
  // A turn begins; what turns took lately is counted for it, and returned. `requests` says how many
  // have come since the daemon began.
  Time Begin(Time now, std::uint64_t requests);
  // What a turn took that was counted as `counted`.
  void Took(Time taken, Time counted);

 private:
  Time next_{0};
  Time mean_{0};
  Time busy_until_{0};
  std::uint64_t requests_ = 0;
  int rest_ = 1;  // as a multiple of what a turn takes
};

}  // namespace sagalog
