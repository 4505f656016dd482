// at, diff, replay: looking back.
#pragma once

#include <CLI/CLI.hpp>

#include "tools/global_options.h"

namespace sagalog::tools {

// Adds the subcommands to `app`. The options and the exit code must outlive the parsing.
void AddPastCommands(CLI::App& app, const GlobalOptions& global, int& exit_code);

}  // namespace sagalog::tools
