// Times as people read them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "schema/store_time.h"

namespace sagalog::tools {

// A length of time to two units: "30 s", "2 min 5 s", "3 h", "4 d 2 h". Without a sign.
[[nodiscard]] std::string Length(Duration duration);

// "in 30 s" or "5 min ago".
[[nodiscard]] std::string Relative(StoreTime time, StoreTime now);

// An RFC 3339 text as an answer has it, to the second: "2026-11-21T03:18:00Z".
[[nodiscard]] std::string ToTheSecond(std::string_view time);

// Both: "in 30 s (2026-11-21T03:18:00Z)"; the second alone when `now` is not known.
[[nodiscard]] std::string Moment(std::string_view time, std::optional<StoreTime> now);

}  // namespace sagalog::tools
