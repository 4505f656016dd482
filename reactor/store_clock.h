// The store's own clock: what the machine's clocks did, as far as leases may notice.
#pragma once

#include <optional>

#include "reactor/clock.h"
#include "schema/status.h"
#include "schema/store_time.h"

namespace sagalog {

// A wall clock further ahead of the last event than this is more likely wrong than right.
inline constexpr Duration kClockAheadMax = std::chrono::hours(7 * 24);
// A wall clock that says something else is wrong: tokens are made of the time since 1970, and the
// texts of times end with the year 9999, which leaves leases a year to expire in.
inline constexpr StoreTime kClockFirst = TimeFromMicros(0);
inline constexpr StoreTime kClockLast = TimeFromMicros(253'370'764'800'000'000);
// A wall clock that moves this much against the boot clock was stepped.
inline constexpr Duration kClockStepMin = std::chrono::seconds(1);
// A store that took no turn for so long was away: stopped, or its disk stalled.
inline constexpr Duration kAwayMin = std::chrono::seconds(5);
// A host that slept was away however short it was; less is the noise of reading two clocks.
inline constexpr Duration kSleepMin = std::chrono::milliseconds(100);
// How often an idle store takes a turn, so that it can tell silence from absence.
inline constexpr std::chrono::milliseconds kTickInterval{1000};

// Whether a store may live at this time; kInvalidArgument.
[[nodiscard]] Status CheckClock(StoreTime wall);

// Starts at max(last event's time, wall clock) and then follows the boot clock, so that a stepped
// wall clock moves no lease and time never decreases. One thread at a time.
class StoreClock {
 public:
  // While the store was up but did nothing.
  struct Absence {
    StoreTime since;
    Duration length{};
  };

  // What the clock says to one turn of the sequencer.
  struct Moment {
    StoreTime now;
    StoreTime wall;
    // The machine's boot clock, for `writing_since`.
    Duration boot{};
    // The wall clock was stepped by this much since the last one told. Told once per step.
    std::optional<Duration> step;
    // Told once, by the first turn after it.
    std::optional<Absence> away;
  };

  // `last_event`: the time of the log's last event, if it has one. kInvalidArgument when no store
  // may live at what the wall clock says, whoever accepts it; and when it is more than
  // kClockAheadMax ahead of it and nobody accepts that: one boot in 2099 would move store time for
  // ever.
  [[nodiscard]] static Result<StoreClock> Start(const Clock& clock,
                                                std::optional<StoreTime> last_event,
                                                bool accept_clock);

  // A turn begins. `writing_since` is the boot time of the turn whose batch is still being
  // written: while that hangs for kAwayMin or more, turns do not count as signs of life.
  [[nodiscard]] Moment Tick(std::optional<Duration> writing_since);

  // Without a turn: what time it is. Never before the last turn's.
  [[nodiscard]] StoreTime Now() const;

 private:
  StoreClock(const Clock& clock, const ClockReading& reading, StoreTime start);
  [[nodiscard]] StoreTime At(Duration boot) const;

  const Clock* clock_;
  StoreTime start_;
  Duration boot_at_start_;
  // wall - boot, as of the last step told.
  Duration wall_offset_;
  // At the last sign of life.
  Duration alive_;
  Duration suspended_;
};

}  // namespace sagalog
