// A fold that looks at each event before it is folded.
#pragma once

#include <functional>

#include "projections/checkpoint.h"

namespace sagalog {

// What is wrong with `event` given what is true before it; OK = nothing.
using FoldCheck = std::function<Status(const Projections& before, const events::Event& event)>;

// Fold (projections/checkpoint.h), ended by the first event that `check` finds wrong, with what it
// says. That event is not folded. `check` runs on the calling thread.
Status FoldChecked(const EventLog& log, Sequence through, Projections& projections,
                   CheckpointStore& store, const FoldCheck& check);

}  // namespace sagalog
