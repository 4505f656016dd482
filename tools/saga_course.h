// What else a story follows through the log: absences, dependencies, and when the index changes.
#pragma once

#include <optional>
#include <vector>

#include "projections/saga.h"
#include "projections/staleness.h"
#include "reactor/store_course.h"
#include "schema/events_generated.h"
#include "schema/store_time.h"

namespace sagalog::tools {

// Since when the store was away until this event; none = it is no return, or not from an absence.
[[nodiscard]] std::optional<StoreTime> AwaySince(const events::Event& event);

// The standing of the dependencies of `saga`, after an event of another saga. True when one ended.
bool ApplyToDependencies(Saga& saga, const events::Event& event);

// Moments in (after, through] at which the index may say something else of `saga`, if nothing
// happens to it. The end of its lease is one of them.
[[nodiscard]] std::vector<StoreTime> IndexMoments(const Saga& saga, const StalenessContext& context,
                                                  StoreTime after, StoreTime through);

}  // namespace sagalog::tools
