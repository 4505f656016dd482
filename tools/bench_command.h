// `sagalog bench`: how fast the store is, against what the machine could do.
#pragma once

#include <CLI/CLI.hpp>

#include "tools/global_options.h"

namespace sagalog::tools {

void AddBenchCommand(CLI::App& app, const GlobalOptions& global, int& exit_code);

}  // namespace sagalog::tools
