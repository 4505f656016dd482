// What a redaction takes out of an event, and where else in the log it stands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "eventlog/event_log.h"
#include "schema/events_generated.h"
#include "schema/id.h"
#include "schema/status.h"

namespace sagalog::tools {

// Shorter ones stand everywhere by chance.
inline constexpr std::size_t kAlikeTextMin = 6;
// How many events are named: whoever has more has to search.
inline constexpr std::size_t kAlikeNamedMax = 20;

struct TextsOfEvent {
  // The texts of its body, and the payload of a plan.
  std::vector<std::string> texts;
  // There is something in it that goes: one of them, or what its caller said of itself.
  bool any = false;
};

// What a redaction of `event` would take out of it.
[[nodiscard]] TextsOfEvent TextsToTakeOut(const events::Event& event);

struct AlikeEvents {
  std::vector<Sequence> first;
  std::uint64_t count = 0;
};

// The events but `except` in whose bytes one of `texts` stands, that is long enough to tell. One
// pass over the log.
[[nodiscard]] Result<AlikeEvents> FindAlike(const EventLog& log,
                                            const std::vector<std::string>& texts, Sequence except);

// "alike text stands in the events 9 and 10: redact them too"; empty when there are none.
[[nodiscard]] std::string InWords(const AlikeEvents& alike);

}  // namespace sagalog::tools
