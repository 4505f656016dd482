// A fold that looks at each event before it is folded.
#pragma once

#include <functional>
#include <string_view>

#include "projections/checkpoint.h"

namespace sagalog {

// What is wrong with `event` given what is true before it; OK = nothing.
using FoldCheck = std::function<Status(const Projections& before, const events::Event& event)>;

struct FoldWatch {
  // On the folding thread, before each event.
  FoldCheck check;
  // On the folding thread, behind each event; an error ends the fold. May be empty.
  std::function<Status(Projections& after)> folded;
  // On the reading thread, which is ahead: each event as it is stored. May be empty.
  std::function<void(const events::Event& event, std::string_view bytes)> seen;
};

// Fold (projections/checkpoint.h), ended by the first event that `watch.check` finds wrong, with
// what it says. That event is not folded. Without a store no checkpoint is taken.
Status FoldChecked(const EventLog& log, Sequence through, Projections& projections,
                   CheckpointStore* store, const FoldWatch& watch);

}  // namespace sagalog
