// sagalog audit export.
#pragma once

#include <CLI/CLI.hpp>

#include "tools/global_options.h"

namespace sagalog::tools {

// As the commands of tools/command_groups.h: below `audit`, which it adds where it is not there
// yet.
void AddAuditExportCommand(CLI::App& app, const GlobalOptions& global, int& exit_code);

}  // namespace sagalog::tools
