#include "reactor/clock.h"

#include <algorithm>
#include <ctime>
#include <utility>

namespace sagalog {
namespace {

std::int64_t Micros(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000 + time.tv_nsec / 1000;
}

// A host that slept makes a wait end late by so much at most.
constexpr Duration kLookAgain = std::chrono::seconds(1);

}  // namespace

void Alarm::Ring() {
  {
    const std::lock_guard lock(mutex_);
    rung_ = true;
  }
  changed_.notify_one();
}

void Alarm::Touch() {
  {
    const std::lock_guard lock(mutex_);
    touched_ = true;
  }
  changed_.notify_one();
}

bool Alarm::Wait(std::optional<std::chrono::microseconds> at_most) {
  std::unique_lock lock(mutex_);
  const auto changed = [this] { return rung_ || touched_; };
  if (at_most) {
    changed_.wait_for(lock, *at_most, changed);
  } else {
    changed_.wait(lock, changed);
  }
  touched_ = false;
  return std::exchange(rung_, false);
}

ClockReading SystemClock::Read() const {
  const std::int64_t monotonic = Micros(CLOCK_MONOTONIC);
  const std::int64_t boot = Micros(CLOCK_BOOTTIME);
  return {Duration(boot), TimeFromMicros(Micros(CLOCK_REALTIME)), Duration(boot - monotonic)};
}

void SystemClock::WaitUntil(Duration boot, Alarm& alarm) const {
  for (Duration left = boot - Read().boot; left > Duration::zero(); left = boot - Read().boot) {
    if (alarm.Wait(std::min(left, kLookAgain))) {
      return;
    }
  }
}

ClockReading ManualClock::Read() const {
  const std::lock_guard lock(mutex_);
  return reading_;
}

void ManualClock::WaitUntil(Duration boot, Alarm& alarm) const {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(&alarm);
  }
  while (Read().boot < boot && !alarm.Wait(std::nullopt)) {
  }
  const std::lock_guard lock(mutex_);
  std::erase(waiting_, &alarm);
}

void ManualClock::TouchAll() {
  for (Alarm* alarm : waiting_) {
    alarm->Touch();
  }
}

void ManualClock::Advance(Duration by) {
  const std::lock_guard lock(mutex_);
  reading_.boot += by;
  reading_.wall += by;
  TouchAll();
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
  TouchAll();
}

}  // namespace sagalog
