// The step `check`: what a scenario says must be true of the store.
#pragma once

#include <string>

#include <boost/json/object.hpp>

#include "reactor/store.h"
#include "schema/status.h"

namespace sagalog::tools {

// kInvalidArgument, naming the word, unless the step's words are those of a check.
Status CheckCheckWords(const boost::json::object& step);

// What is otherwise than the step says, in words; empty when nothing is.
[[nodiscard]] std::string DifferenceFrom(const boost::json::object& step, Store& store);

}  // namespace sagalog::tools
