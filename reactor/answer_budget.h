// The memory of answers that their peers have not taken yet, over all connections.
#pragma once

#include <atomic>
#include <cstddef>

#include "schema/frame_limits.h"

namespace sagalog {

// What all answers together may hold that are large; the next read with a large answer is
// `overloaded`. One that is not large is not counted: the number of connections bounds those.
inline constexpr std::size_t kAnswerBytesInFlightMax = 256UL << 20;
inline constexpr std::size_t kAnswerLargeSizeMin = 128UL << 10;
// What one connection may hold of them: what it may leave untaken, and the largest answer.
inline constexpr std::size_t kAnswerBytesOfConnectionMax = kUntakenBytesMax + kAnswerFrameSizeMax;
// What has happened cannot be refused any more: its answer may go so far beyond. Where that does
// not suffice either, the answer is lost, and its connection with it.
inline constexpr std::size_t kAnswerBytesBeyond = 32UL << 20;

// Thread-safe.
class AnswerBudget {
 public:
  // What answers of so many bytes count for.
  [[nodiscard]] static constexpr std::size_t Counted(std::size_t bytes) {
    return bytes < kAnswerLargeSizeMin ? 0 : bytes;
  }
  // `happened`: the answer is not to be refused.
  [[nodiscard]] bool Take(std::size_t bytes, bool happened) {
    const std::size_t most = kAnswerBytesInFlightMax + (happened ? kAnswerBytesBeyond : 0);
    std::size_t held = held_.load();
    do {
      if (held + bytes > most) {
        return bytes == 0;
      }
    } while (!held_.compare_exchange_weak(held, held + bytes));
    return true;
  }
  void GiveBack(std::size_t bytes) { held_ -= bytes; }

 private:
  std::atomic<std::size_t> held_{0};
};

// One answer, counted for as long as it is held.
class AnswerBytes {
 public:
  // The budget is borrowed.
  AnswerBytes(AnswerBudget& budget, std::size_t bytes, bool happened)
      : budget_(budget),
        counted_(AnswerBudget::Counted(bytes)),
        taken_(budget.Take(counted_, happened)) {}
  ~AnswerBytes() { budget_.GiveBack(taken_ ? counted_ : 0); }
  AnswerBytes(const AnswerBytes&) = delete;
  AnswerBytes& operator=(const AnswerBytes&) = delete;
  // False when there is no room for it.
  [[nodiscard]] bool taken() const { return taken_; }

 private:
  AnswerBudget& budget_;
  const std::size_t counted_;
  const bool taken_;
};

}  // namespace sagalog
