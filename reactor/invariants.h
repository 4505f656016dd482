// What holds of every log that the rules wrote: docs/guarantees.md, What verify checks.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "eventlog/event_log.h"
#include "projections/projections.h"

namespace sagalog {

// An event, and what was true before it.
struct InvariantScene {
  const EventLog& log;
  // Sagas that are no longer in memory.
  const EndedRows& rows;
  const Projections& before;
  const events::Event& event;
  // The event's saga before it; null = of the store, or not in memory: new, or ended and settled.
  const Saga* saga;
};

struct BrokenInvariant {
  std::string_view name;
  std::string text;
};

// The first invariant that the event breaks, by the order of the table in docs/guarantees.md; none
// = it keeps them all. Pure but for reading `rows` and `log`.
[[nodiscard]] std::optional<BrokenInvariant> FindBroken(const InvariantScene& scene);

}  // namespace sagalog
