// When the next checkpoint is to be taken.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "schema/id.h"

namespace sagalog {

// After so many events or so much time, whichever is first; not when nothing happened. Thread-safe.
class CheckpointDue {
 public:
  CheckpointDue(std::uint64_t events, std::chrono::milliseconds interval)
      : events_(events), interval_(interval) {}

  // So much has been applied. Cheap: called in every turn.
  void Applied(Sequence last);
  // A checkpoint of this sequence was taken.
  void Taken(Sequence checkpoint);
  // None could be taken: not before another interval.
  void Postpone();

  // Waits until one is due; false after Stop.
  [[nodiscard]] bool Wait();
  void Stop();

 private:
  [[nodiscard]] bool IsEnough() const;

  const std::uint64_t events_;
  const std::chrono::milliseconds interval_;
  std::atomic<std::uint64_t> applied_{0};
  std::atomic<std::uint64_t> checkpoint_{0};
  std::atomic<bool> told_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool postponed_ = false;  // guarded by mutex_
  bool stopped_ = false;    // guarded by mutex_
};

}  // namespace sagalog
