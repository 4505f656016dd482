// One line of an export as NDJSON: the event in JSON, and as its last member, "bytes", what is
// stored, in base64. Only the bytes can be verified. docs/export.md: events.ndjson.
//
// Thread-safe: all functions are pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "schema/events_generated.h"
#include "schema/id.h"
#include "schema/status.h"

namespace sagalog {

// Appends the line of `event`, whose bytes are `bytes`, without a line break.
void AppendExportLine(std::string& out, const events::Event& event, std::string_view bytes);

// The sequence that a line begins with; it may be cut off behind it.
[[nodiscard]] std::optional<Sequence> PeekExportLine(std::string_view line);

// The bytes that a line holds, unverified, in `bytes`; whether it holds any.
[[nodiscard]] bool DecodeExportLine(std::string_view line, std::string& bytes);

// kCorruption, naming the field, unless the readable fields of `line` are those of `event`, which
// was decoded from it and verified.
[[nodiscard]] Status CheckExportLine(std::string_view line, const events::Event& event);

}  // namespace sagalog
