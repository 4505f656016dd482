#include "reactor/clock.h"

#include <ctime>

namespace sagalog {
namespace {

std::int64_t Micros(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000 + time.tv_nsec / 1000;
}

}  // namespace

ClockReading SystemClock::Read() const {
  const std::int64_t monotonic = Micros(CLOCK_MONOTONIC);
  const std::int64_t boot = Micros(CLOCK_BOOTTIME);
  return {Duration(boot), TimeFromMicros(Micros(CLOCK_REALTIME)), Duration(boot - monotonic)};
}

ClockReading ManualClock::Read() const {
  const std::lock_guard lock(mutex_);
  return reading_;
}

void ManualClock::Advance(Duration by) {
  const std::lock_guard lock(mutex_);
  reading_.boot += by;
  reading_.wall += by;
}

void ManualClock::StepWall(Duration by) {
  const std::lock_guard lock(mutex_);
  reading_.wall += by;
}

void ManualClock::Suspend(Duration by) {
  const std::lock_guard lock(mutex_);
  reading_.boot += by;
  reading_.wall += by;
  reading_.suspended += by;
}

}  // namespace sagalog
