// The commands that tell what happened to sagas, as words and as pictures.
#pragma once

#include <CLI/CLI.hpp>

#include "tools/global_options.h"

namespace sagalog::tools {

// As those of tools/command_groups.h. why.
void AddWhyCommand(CLI::App& app, const GlobalOptions& global, int& exit_code);
// timeline.
void AddTimelineCommand(CLI::App& app, const GlobalOptions& global, int& exit_code);

}  // namespace sagalog::tools
