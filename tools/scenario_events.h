// How events and refusals are written down in a scenario: the type, with a detail in brackets.
#pragma once

#include <string>
#include <string_view>

#include "schema/events_generated.h"

namespace sagalog::tools {

struct EventText {
  std::string type;  // "leased"
  // "leased(taken_over)"; the type alone where there is no detail.
  std::string detailed;
};

[[nodiscard]] EventText TextOfEvent(const events::Event& event);

// Whether `text` is the type or the detailed text of the event.
[[nodiscard]] bool IsEvent(std::string_view text, const EventText& event);

// Whether there can be such an event.
[[nodiscard]] bool IsEventPattern(std::string_view text);

// "acquire(lease_held)".
[[nodiscard]] std::string TextOfRefusal(const events::NotedRefusalT& refusal);
// Whether there can be such a refusal.
[[nodiscard]] bool IsRefusalPattern(std::string_view text);
// Whether there is such a code: "lease_held".
[[nodiscard]] bool IsRefusalCode(std::string_view text);

}  // namespace sagalog::tools
