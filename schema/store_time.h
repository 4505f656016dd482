// Instants and durations as the store keeps them, and their text forms.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "schema/status.h"

namespace sagalog {

using Duration = std::chrono::microseconds;
// An instant of the store's clock, counted from the Unix epoch. It never decreases within a store.
using StoreTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

// How a duration or a count that is switched off is stored.
inline constexpr std::int64_t kOff = -1;

[[nodiscard]] constexpr StoreTime TimeFromMicros(std::int64_t micros) {
  return StoreTime(Duration(micros));
}
[[nodiscard]] constexpr std::int64_t ToMicros(StoreTime time) {
  return time.time_since_epoch().count();
}

// The first and the last instant that has an RFC 3339 form: years 0000 to 9999.
inline constexpr StoreTime kStoreTimeMin = TimeFromMicros(-62'167'219'200'000'000);
inline constexpr StoreTime kStoreTimeMax = TimeFromMicros(253'402'300'799'999'999);

// RFC 3339 in UTC with microseconds: 2026-11-21T03:18:00.000000Z. Years 0000 to 9999; any other
// year is written with a sign, as ISO 8601 has it, so that damaged values can still be shown.
[[nodiscard]] std::string FormatTime(StoreTime time);
// The same at the end of `out`.
void AppendTime(std::string& out, StoreTime time);
// RFC 3339 with any offset and up to nine decimals (what is below a microsecond is cut).
// kInvalidArgument for everything else, a missing offset and a leap second included.
[[nodiscard]] Result<StoreTime> ParseTime(std::string_view text);

// The shortest exact form in one unit of d, h, m, s, ms, us: "90s", "1.5s", "2h", "0s".
[[nodiscard]] std::string FormatDuration(Duration duration);
// A decimal number and one of us, ms, s, m, h, d: "30s", "1.5h", "-30s". Exact to the
// microsecond; kInvalidArgument when it is not, has no unit or does not fit.
[[nodiscard]] Result<Duration> ParseDuration(std::string_view text);

}  // namespace sagalog
