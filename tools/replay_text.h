// The steps of a replay in lines: for people, and as NDJSON.
#pragma once

#include <string>

#include "tools/replay_cursor.h"

namespace sagalog::tools {

// {"event": {…}, "before": {…}, "after": {…}} and a line break at the end of `out`; the last two
// are null where there is no saga.
void AppendStepJson(std::string& out, const ReplayStep& step);

// A line with the event; below it the saga before and after, or once where it is the same.
[[nodiscard]] std::string StepInWords(const ReplayStep& step, bool color);

// "  (by ann)", or nothing where nobody is known.
[[nodiscard]] std::string ByWhom(const events::Event& event);

// What the event's body says, in words.
[[nodiscard]] std::string DetailOf(const events::Event& event);

}  // namespace sagalog::tools
