// A story as people and programs read it.
#pragma once

#include <cstddef>
#include <string>

#include <boost/json/object.hpp>

#include "tools/story.h"

namespace sagalog::tools {

// Lines of at most `columns` where the words allow it; 0 = a width that reads well. Each thing that
// happened stands beside its time of day and the time since the planning.
[[nodiscard]] std::string StoryText(const Story& story, std::size_t columns, bool color);

// {"saga_id", "state", "version", "sequence", "now", "headline", "in_short", "lines", "owed",
// "next"}
[[nodiscard]] boost::json::object StoryJson(const Story& story);

}  // namespace sagalog::tools
