// sagalog top.
#pragma once

#include <CLI/CLI.hpp>

#include "tools/global_options.h"

namespace sagalog::tools {

// As the functions of tools/command_groups.h.
void AddTopCommand(CLI::App& app, const GlobalOptions& global, int& exit_code);

}  // namespace sagalog::tools
