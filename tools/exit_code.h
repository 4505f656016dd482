// What the exit code of every command means.
#pragma once

#include "schema/status.h"

namespace sagalog::tools {

inline constexpr int kExitDone = 0;
// The store said no; the code of the refusal is on standard error.
inline constexpr int kExitRefused = 1;
// The command line is wrong: nothing was sent.
inline constexpr int kExitUsage = 2;
// The store cannot be reached, is damaged or takes no appends.
inline constexpr int kExitUnavailable = 3;

// Of a command that looks or keeps: what cannot be or is not there is refused, all else is the
// store's.
[[nodiscard]] inline int ExitCodeOf(const Status& status) {
  return status.code() == Code::kInvalidArgument || status.code() == Code::kNotFound
             ? kExitRefused
             : kExitUnavailable;
}

// Of a command that tells what happened: a moment or a window that cannot be is the caller's words.
[[nodiscard]] inline int StoryExitCode(const Status& status) {
  return status.code() == Code::kInvalidArgument ? kExitUsage : ExitCodeOf(status);
}

}  // namespace sagalog::tools
