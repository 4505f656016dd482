// sagalog audit: key, checkpoint, prove, verify.
#pragma once

#include <CLI/CLI.hpp>

#include "tools/global_options.h"

namespace sagalog::tools {

// As those of tools/command_groups.h.
void AddAuditCommands(CLI::App& app, const GlobalOptions& global, int& exit_code);

}  // namespace sagalog::tools
