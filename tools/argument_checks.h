// What holds for every argument of the command line, whichever command it belongs to.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include <CLI/CLI.hpp>

namespace sagalog::tools {

// Makes "" an error of usage for every option of `app` and of its commands that names something: a
// path, an id, a moment, a key. There it would mean that nothing was given, which is what a
// variable that is not set looks like. Texts that may say nothing, and the words of a command that
// is run, stay as they are. Called once, when all commands were added.
void RefuseEmptyArguments(CLI::App& app);

struct NumberRange {
  std::uint64_t min = 0;
  std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
};

// Adds an option for a decimal number; what is none of the range is an error that names the option
// and the range. `number` must outlive the parsing.
CLI::Option* AddNumber(CLI::App& app, const std::string& flags, std::uint64_t& number,
                       const std::string& help, NumberRange range = {});

}  // namespace sagalog::tools
