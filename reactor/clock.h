// Time as the store sees it: one narrow interface, so that whole clusters can be simulated.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

#include "schema/store_time.h"

namespace sagalog {

// One look at the machine's clocks.
struct ClockReading {
  Duration boot{};       // since the machine booted, suspended time included
  StoreTime wall;        // what the wall clock says, steps included
  Duration suspended{};  // how long the host has been suspended in all, since some fixed moment
};

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual ClockReading Read() const = 0;
  // Whether time passes by itself, so that a long silence of the sequencer means it was away.
  [[nodiscard]] virtual bool RunsByItself() const = 0;
};

// The machine's: CLOCK_BOOTTIME, CLOCK_REALTIME, and their difference to CLOCK_MONOTONIC.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] ClockReading Read() const override;
  [[nodiscard]] bool RunsByItself() const override { return true; }
};

// Moves only when told to.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(StoreTime start) { reading_.wall = start; }

  [[nodiscard]] ClockReading Read() const override;
  [[nodiscard]] bool RunsByItself() const override { return false; }

  // Time passes while the store runs.
  void Advance(Duration by);
  // Only the wall clock jumps.
  void StepWall(Duration by);
  // Time passes while the host, and the store with it, is asleep.
  void Suspend(Duration by);

 private:
  mutable std::mutex mutex_;
  ClockReading reading_;
};

}  // namespace sagalog
