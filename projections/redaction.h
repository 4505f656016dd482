// What is left of an event whose texts had to go. The bytes: docs/log-format.md, redacted events.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "schema/event_stub.h"
#include "schema/events_generated.h"

namespace sagalog {

// Stands where a text was.
inline constexpr std::string_view kRedactedText = "[redacted]";
// The one label, or parameter of a compensation, that stands where there were some.
inline constexpr std::string_view kRedactedName = "redacted";

// The bytes of `event` without whatever a person or a program wrote freely: payload, labels, facts
// of the plan, parameters, reasons, results, progress, evidence, texts, and what the caller said of
// itself. Whatever a fold reads stays, so a fold of these bytes gives the same state; where it
// reads only a hash of a text, that hash stays. `hash`: the event's leaf hash.
[[nodiscard]] std::string RedactedBytes(const events::Event& event, const EventHash& hash);

// Of a redacted event: the hash of the parameters, or of the settlement, that it was written with.
// Nothing when it was not redacted, or had none.
[[nodiscard]] std::optional<std::uint32_t> RedactedContent(
    const events::Event& event, const schema::Compensation& compensation);
[[nodiscard]] std::optional<std::uint64_t> RedactedSettlement(const events::Event& event,
                                                              const events::EffectSettled& body);

}  // namespace sagalog
