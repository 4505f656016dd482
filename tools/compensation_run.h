// `sagalog compensation run`: carries out what is owed, in one folder.
#pragma once

#include <CLI/App.hpp>

#include "tools/global_options.h"

namespace sagalog::tools {

// `global` and `exit_code` are borrowed until the command line was parsed and its commands ran.
void AddCompensationRunCommand(CLI::App& compensation, const GlobalOptions& global, int& exit_code);

}  // namespace sagalog::tools
