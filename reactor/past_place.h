// Moments of the past, and the places in the log that they mean.
#pragma once

#include <string_view>
#include <variant>

#include "eventlog/event_log.h"
#include "schema/status.h"
#include "schema/store_time.h"

namespace sagalog {

// A place in the log, whose event has happened; or a moment, with all that happened by then.
using PastMoment = std::variant<Sequence, StoreTime>;

// "17", or "2026-11-21T03:18:00Z": kInvalidArgument for anything else, a time without a zone too.
[[nodiscard]] Result<PastMoment> ParsePastMoment(std::string_view text);

struct PastPlace {
  // The last event that has happened; none = the moment was before the first.
  Sequence through;
  // What the clock showed: of a sequence, the time of its event.
  StoreTime moment;
};

// Reads about 2 log n events, because their times never decrease. `last` is the end of what can be
// read, `now` what is not past yet. kInvalidArgument when the moment is beyond either, or is
// sequence 0.
[[nodiscard]] Result<PastPlace> FindPlace(const EventLog& log, Sequence last, const PastMoment& at,
                                          StoreTime now);

}  // namespace sagalog
