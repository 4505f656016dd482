// What a frame of a client asks for, taken out of it: checked, and in the name of who asks.
#pragma once

#include <string_view>
#include <vector>

#include "schema/commands_generated.h"
#include "schema/frames_generated.h"
#include "schema/status.h"

namespace sagalog {

// Each kInvalidArgument for what is no command.
[[nodiscard]] Result<commands::CommandT> CommandOf(const frames::Execute& request,
                                                   std::string_view principal);
[[nodiscard]] Result<std::vector<Result<commands::CommandT>>> CommandsOf(
    const frames::Batch& request, std::string_view principal);

// Whether a page answers it, which may be large.
[[nodiscard]] bool AsksForPage(const frames::Read& request);

}  // namespace sagalog
