// The causal story of a saga: what happened to it, which deadlines passed, who was refused, and
// what is left to do. A pure function of what the log holds.
#pragma once

#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "schema/id.h"
#include "schema/saga_generated.h"
#include "schema/store_time.h"
#include "tools/story_record.h"
#include "tools/terminal.h"

namespace sagalog::tools {

// One thing that happened, or a deadline that passed.
struct StoryLine {
  StoreTime at;
  // None = no event: time passed, or a command was refused.
  Sequence sequence;
  // An event's type, a reason of the stale index, "refused", "lease_over".
  std::string kind;
  Style style = Style::kPlain;
  // A sentence or more; what callers wrote stands in quotes and is harmless to a terminal.
  std::string text;
  // The same for programs.
  boost::json::object facts;
};

struct Story {
  std::string saga_id;
  schema::State state = schema::State::planned;
  std::uint64_t version = 0;
  // The sequence this is true of, and the moment.
  Sequence last;
  StoreTime now;
  StoreTime began;
  // How it stands, in a sentence.
  std::string headline;
  Style headline_style = Style::kPlain;
  // What to make of it: how many owners, what was lost, what was refused.
  std::vector<std::string> in_short;
  std::vector<StoryLine> lines;
  // What somebody has yet to do, and commands that would do it.
  std::vector<std::string> owed;
  std::vector<std::string> next;
};

[[nodiscard]] Story TellStory(const StoryRecord& record);

}  // namespace sagalog::tools
