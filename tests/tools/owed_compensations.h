// A failed saga that owes something, and `sagalog compensation run` over it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "tests/tools/cli_directory.h"

namespace sagalog {

// One thing to undo, as it is registered.
struct Owed {
  std::string id;
  std::string kind;
  std::string target;
  std::map<std::string, std::string> params;
};

// Plans a saga with these, acquires it and has it fail.
void FailOwing(CliDirectory& directory, const std::string& saga, const std::vector<Owed>& owed);

// A run and what it says of each compensation.
struct CompensationRunResult {
  int exit_code = -1;
  std::string error;
  std::map<std::string, std::string> outcomes;  // by id
  std::map<std::string, std::string> details;
};

// With --json and these flags.
CompensationRunResult RunCompensations(CliDirectory& directory, const Words& flags);

// The state of a saga's compensation in the store: "owed", "done", …
std::string CompensationState(CliDirectory& directory, const std::string& saga,
                              const std::string& id);

}  // namespace sagalog
