// `sagalog run`: any command as the worker of a saga.
#pragma once

#include <CLI/App.hpp>

#include "tools/global_options.h"

namespace sagalog::tools {

// `global` and `exit_code` are borrowed until the command line was parsed and its commands ran.
void AddRunCommand(CLI::App& app, const GlobalOptions& global, int& exit_code);

}  // namespace sagalog::tools
