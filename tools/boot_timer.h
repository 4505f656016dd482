// Waiting by the clock that leases follow: it goes on while the machine sleeps, and no step of the
// wall clock moves it.
#pragma once

#include "schema/store_time.h"

namespace sagalog::tools {

// Since the machine booted, suspended time included.
[[nodiscard]] Duration BootNow();

// A descriptor for poll() that becomes readable at a moment. One thread at a time.
class BootTimer {
 public:
  BootTimer();
  ~BootTimer();
  BootTimer(const BootTimer&) = delete;
  BootTimer& operator=(const BootTimer&) = delete;

  [[nodiscard]] int descriptor() const { return descriptor_; }
  // Readable from `moment` on, and at once when that is past; replaces the moment set before.
  void Set(Duration moment);
  // Never readable.
  void Clear();

 private:
  int descriptor_ = -1;
};

}  // namespace sagalog::tools
