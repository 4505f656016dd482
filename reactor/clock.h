// Time as the store sees it: one narrow interface, so that whole clusters can be simulated.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "schema/store_time.h"

namespace sagalog {

// One look at the machine's clocks.
struct ClockReading {
  Duration boot{};       // since the machine booted, suspended time included
  StoreTime wall;        // what the wall clock says, steps included
  Duration suspended{};  // how long the host has been suspended in all, since some fixed moment
};

// Wakes the one thread that waits on a clock with it. Thread-safe.
class Alarm {
 public:
  // Ends the wait under way, or else the next one.
  void Ring();

  // For clocks. Time has moved: look at it again.
  void Touch();
  // Blocks until Ring, Touch or, where it is given, `at_most` has passed; whether it was Ring.
  bool Wait(std::optional<std::chrono::microseconds> at_most);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool rung_ = false;     // guarded by mutex_
  bool touched_ = false;  // guarded by mutex_
};

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual ClockReading Read() const = 0;
  // Blocks until the boot clock says `boot` or the alarm rings.
  virtual void WaitUntil(Duration boot, Alarm& alarm) const = 0;
  // Whether time passes by itself, so that a long silence of the sequencer means it was away.
  [[nodiscard]] virtual bool RunsByItself() const = 0;
};

// The machine's: CLOCK_BOOTTIME, CLOCK_REALTIME, and their difference to CLOCK_MONOTONIC.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] ClockReading Read() const override;
  void WaitUntil(Duration boot, Alarm& alarm) const override;
  [[nodiscard]] bool RunsByItself() const override { return true; }
};

// Moves only when told to.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(StoreTime start) { reading_.wall = start; }

  [[nodiscard]] ClockReading Read() const override;
  void WaitUntil(Duration boot, Alarm& alarm) const override;
  [[nodiscard]] bool RunsByItself() const override { return false; }

  // Time passes while the store runs.
  void Advance(Duration by);
  // Only the wall clock jumps.
  void StepWall(Duration by);
  // Time passes while the host, and the store with it, is asleep.
  void Suspend(Duration by);

 private:
  // With the mutex held: tells those who wait.
  void TouchAll();

  mutable std::mutex mutex_;
  ClockReading reading_;
  mutable std::vector<Alarm*> waiting_;  // guarded by mutex_
};

}  // namespace sagalog
