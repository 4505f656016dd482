// What the exit code of every command means.
#pragma once

namespace sagalog::tools {

inline constexpr int kExitDone = 0;
// The store said no; the code of the refusal is on standard error.
inline constexpr int kExitRefused = 1;
// The command line is wrong: nothing was sent.
inline constexpr int kExitUsage = 2;
// The store cannot be reached, is damaged or takes no appends.
inline constexpr int kExitUnavailable = 3;

}  // namespace sagalog::tools
