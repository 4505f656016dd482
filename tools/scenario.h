// Scenario files: calls on a store, step by step, with the answer each must give.
// The format: docs/scenario-format.md.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "schema/status.h"

namespace sagalog::tools {

struct Scenario {
  std::string id;
  std::string title;
  std::string kind;  // the entry's "class"
  boost::json::object settings;
  std::vector<boost::json::object> steps;
};

// The scenarios of `text`, all of whose words are known and well typed. Else kInvalidArgument,
// naming the scenario, the step and the word.
[[nodiscard]] Result<std::vector<Scenario>> ReadScenarios(std::string_view text);

// Those of a file; kNotFound or kIoError when it cannot be read.
[[nodiscard]] Result<std::vector<Scenario>> LoadScenarios(const std::filesystem::path& file);

}  // namespace sagalog::tools
