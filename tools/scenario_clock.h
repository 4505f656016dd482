// The clock of a scenario's store: it moves only when a step says so.
#pragma once

#include <atomic>

#include "reactor/clock.h"

namespace sagalog::tools {

// Time that a step lets pass is time in which the store would have taken its turns; time in which
// it takes none has to be said.
class ScenarioClock final : public Clock {
 public:
  explicit ScenarioClock(StoreTime start) : manual_(start) {}

  [[nodiscard]] ClockReading Read() const override { return manual_.Read(); }
  void WaitUntil(Duration boot, Alarm& alarm) const override { manual_.WaitUntil(boot, alarm); }
  // A silence of this clock counts only while it is said to be one.
  [[nodiscard]] bool RunsByItself() const override { return silent_; }

  void Advance(Duration by) { manual_.Advance(by); }
  void StepWall(Duration by) { manual_.StepWall(by); }
  void Suspend(Duration by) { manual_.Suspend(by); }

  // The time since the store's last turn is one in which it could take none, until EndSilence. The
  // turns of the store in between find that out.
  void BeginSilence() { silent_ = true; }
  void EndSilence() { silent_ = false; }

 private:
  ManualClock manual_;
  std::atomic<bool> silent_{false};
};

}  // namespace sagalog::tools
