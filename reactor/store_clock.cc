#include "reactor/store_clock.h"

#include <algorithm>

#include <fmt/format.h>

namespace sagalog {

Status CheckClock(StoreTime wall) {
  return wall >= kClockFirst && wall < kClockLast
             ? Status()
             : Status(Code::kInvalidArgument,
                      fmt::format("the clock says {}, and has to be between 1970 and the year "
                                  "9999: set it right",
                                  FormatTime(wall)));
}

Result<StoreClock> StoreClock::Start(const Clock& clock, std::optional<StoreTime> last_event,
                                     bool accept_clock) {
  const ClockReading reading = clock.Read();
  RETURN_IF_ERROR(CheckClock(reading.wall));
  if (last_event && reading.wall - *last_event > kClockAheadMax && !accept_clock) {
    return Status(
        Code::kInvalidArgument,
        fmt::format("the wall clock says {}, more than 7 days after the last event at {}: "
                    "check the clock; if it is right, open with --accept-clock",
                    FormatTime(reading.wall), FormatTime(*last_event)));
  }
  return StoreClock(clock, reading, std::max(reading.wall, last_event.value_or(reading.wall)));
}

StoreClock::StoreClock(const Clock& clock, const ClockReading& reading, StoreTime start)
    : clock_(&clock),
      start_(start),
      boot_at_start_(reading.boot),
      wall_offset_(reading.wall.time_since_epoch() - reading.boot),
      alive_(reading.boot),
      suspended_(reading.suspended) {}

StoreTime StoreClock::At(Duration boot) const {
  return start_ + std::max(boot - boot_at_start_, Duration::zero());
}

StoreTime StoreClock::Now() const { return At(std::max(clock_->Read().boot, alive_)); }

StoreClock::Moment StoreClock::Tick(std::optional<Duration> writing_since) {
  const ClockReading reading = clock_->Read();
  const Duration boot = std::max(reading.boot, alive_);
  Moment moment{At(boot), reading.wall, boot, std::nullopt, std::nullopt};

  const Duration offset = reading.wall.time_since_epoch() - reading.boot;
  const Duration step = offset - wall_offset_;
  if (step >= kClockStepMin || step <= -kClockStepMin) {
    moment.step = step;
    wall_offset_ = offset;
  }

  const Duration asleep = reading.suspended - suspended_;
  const bool slept = asleep >= kSleepMin;
  const bool stalled = writing_since && boot - *writing_since >= kAwayMin && !slept;
  if (stalled && clock_->RunsByItself()) {
    return moment;  // the turn after the write ends tells the whole absence
  }
  const bool silent = clock_->RunsByItself() && boot - alive_ > kAwayMin;
  if (slept || silent) {
    const Duration length = silent ? boot - alive_ : asleep;
    moment.away = Absence{At(boot - length), length};
    alive_ = boot;
  } else {
    alive_ = writing_since ? std::max(alive_, *writing_since) : boot;
  }
  suspended_ = reading.suspended;
  return moment;
}

}  // namespace sagalog
