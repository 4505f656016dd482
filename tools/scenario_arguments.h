// A scenario's step as a command of the store.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <boost/json/object.hpp>

#include "schema/commands_generated.h"
#include "schema/status.h"

namespace sagalog::tools {

// A token that no store ever gave: what a name stands for that was never bound.
inline constexpr std::uint64_t kTokenNeverGiven = (1ULL << 52) + 7;

// The numbers behind the names of a step.
struct ScenarioBindings {
  std::map<std::string, std::uint64_t> tokens;
  // The version to recover with.
  std::uint64_t observed = 0;
};

// kInvalidArgument, naming the word, when it is none.
[[nodiscard]] Result<commands::CommandT> CommandOfStep(const boost::json::object& step,
                                                       const ScenarioBindings& bindings);

}  // namespace sagalog::tools
