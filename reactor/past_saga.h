// A saga as it was: folded from the log, beside whatever is in memory.
#pragma once

#include <string_view>
#include <variant>

#include "eventlog/event_log.h"
#include "schema/answers_generated.h"
#include "schema/status.h"
#include "schema/store_time.h"

namespace sagalog {

// A place in the log, whose event has happened; or a moment, with all that happened by then.
using PastMoment = std::variant<Sequence, StoreTime>;

// What a read would have answered at `at`, its reasons for being stale included: the saga's own
// events, and those of others that it depends on, decide alone. Reads the log from its beginning up
// to there. kNotFound when the saga was not planned by then; kInvalidArgument when `at` is beyond
// the end of the log, a moment later than `now`. Any thread.
[[nodiscard]] Result<answers::SagaT> FindPastSaga(const EventLog& log, std::string_view saga_id,
                                                  const PastMoment& at, StoreTime now);

// "17", or "2026-11-21T03:18:00Z": kInvalidArgument for anything else.
[[nodiscard]] Result<PastMoment> ParsePastMoment(std::string_view text);

}  // namespace sagalog
