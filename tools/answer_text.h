// What the store said to a command, in one line.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "schema/store_time.h"
#include "tools/terminal.h"

namespace sagalog::tools {

// The style of a state's name.
[[nodiscard]] Style StateStyle(std::string_view state);

// "T1  running  token 42  expires in 30 s (2026-…Z)". `now` = the store's time, when known.
[[nodiscard]] std::string AnswerLine(const boost::json::object& answer,
                                     std::optional<StoreTime> now, bool color);

// "lease_held: the saga is held by w1 until 2026-…Z": the code of a problem document and its words.
[[nodiscard]] std::string RefusalLine(const boost::json::object& problem);
// The facts beside it that the words do not tell already: "actual state running, actual version 2".
[[nodiscard]] std::string RefusalFacts(const boost::json::object& problem);

}  // namespace sagalog::tools
