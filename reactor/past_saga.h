// A saga as it was: folded from the log, beside whatever is in memory.
#pragma once

#include <string_view>

#include "eventlog/event_log.h"
#include "reactor/past_place.h"
#include "reactor/saga_view.h"
#include "schema/answers_generated.h"
#include "schema/status.h"
#include "schema/store_time.h"

namespace sagalog {

// What a read would have answered at `at`, its reasons for being stale included: the saga's own
// events, and those of others that show in it, decide alone. Needs nothing but the log, and reads
// it once from its beginning up to there. kNotFound when the saga was not planned by then;
// kInvalidArgument when `at` is beyond the end of the log, or a moment later than `now`. Any
// thread.
[[nodiscard]] Result<answers::SagaT> FindPastSaga(const EventLog& log, std::string_view saga_id,
                                                  const PastMoment& at, StoreTime now);

// The same of a place that FindPlace gave.
[[nodiscard]] Result<SagaSnapshot> FoldPastSaga(const EventLog& log, std::string_view saga_id,
                                                const PastPlace& place);

// The saga's newest event through `through`, found by walking back from `newest`, an event of that
// saga, past whole runs of heartbeats at once; none = the saga was not planned by then.
[[nodiscard]] Result<Sequence> NewestThrough(const EventLog& log, Sequence newest,
                                             Sequence through);

}  // namespace sagalog
