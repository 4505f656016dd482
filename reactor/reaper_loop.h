// The thread on which a reaper acts by itself.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <thread>

#include "reactor/clock.h"

namespace sagalog {

// Something may become due earlier than was known: the loop looks again after so long.
inline constexpr Duration kReaperLookMax = std::chrono::seconds(1);

// Acts, and waits on a clock until there is something to do again.
class ReaperLoop {
 public:
  // Does what is due; how long until something is due again, none = nothing is known to be.
  using Act = std::function<std::optional<Duration>()>;

  // Starts at once. The clock is borrowed.
  ReaperLoop(const Clock& clock, Act act);
  ~ReaperLoop();
  ReaperLoop(const ReaperLoop&) = delete;
  ReaperLoop& operator=(const ReaperLoop&) = delete;

  // Ends the thread, after what it is doing. Idempotent.
  void Stop();

 private:
  void Loop();

  const Clock& clock_;
  const Act act_;
  Alarm alarm_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace sagalog
