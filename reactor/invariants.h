// What holds of every log that the rules wrote: docs/guarantees.md, What verify checks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "eventlog/event_log.h"
#include "projections/projections.h"

namespace sagalog {

// Sagas that ended before the event and are no longer in memory.
class EndedSagas {
 public:
  virtual ~EndedSagas() = default;
  // The one of this id.
  [[nodiscard]] virtual std::optional<Saga> Find(std::string_view saga_id) const = 0;
  // The newest generation of a key that did, as `event` plans the generation `planned`; 0 = none.
  [[nodiscard]] virtual std::uint32_t NewestGeneration(std::string_view key, std::uint32_t planned,
                                                       Sequence event) const = 0;
};

// An event, and what was true before it.
struct InvariantScene {
  const EventLog& log;
  const EndedSagas& ended;
  const Projections& before;
  const events::Event& event;
  // The event's saga before it, ended or not; null = of the store, new, or never planned.
  const Saga* saga;
};

struct BrokenInvariant {
  std::string_view name;
  std::string text;
};

// The first invariant that the event breaks, by the order of the table in docs/guarantees.md; none
// = it keeps them all. Pure but for reading `ended` and `log`.
[[nodiscard]] std::optional<BrokenInvariant> FindBroken(const InvariantScene& scene);

}  // namespace sagalog
