// What one event of a history says, in a line.
#pragma once

#include <string>

#include <boost/json/object.hpp>

namespace sagalog::tools {

// "taken_over by w2 (from w1), token 42, ttl 30s": the members of an event's body that say
// something, texts as they are.
[[nodiscard]] std::string EventDetail(const boost::json::object& event);

}  // namespace sagalog::tools
