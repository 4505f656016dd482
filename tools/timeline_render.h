// A picture of sagas over time, as files. Whatever comes from events is text in them, never markup
// or script.
#pragma once

#include <string>

#include "schema/status.h"
#include "tools/timeline_model.h"

namespace sagalog::tools {

// An SVG file shows what one can see without moving it.
inline constexpr std::size_t kTimelineSvgSagasMax = 200;

// One page that needs nothing else: no network, no other file.
[[nodiscard]] std::string TimelineHtml(const Timeline& timeline);

// kInvalidArgument, saying what to do, when there are more sagas than kTimelineSvgSagasMax.
[[nodiscard]] Result<std::string> TimelineSvg(const Timeline& timeline);

// The JSON that chrome://tracing and ui.perfetto.dev open: a process for each saga, a thread for
// each lane.
[[nodiscard]] std::string TimelineTrace(const Timeline& timeline);

}  // namespace sagalog::tools
