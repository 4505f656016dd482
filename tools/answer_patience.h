// How long an answer is waited for, when the command line says it.
#pragma once

namespace sagalog::tools {

// A duration, "5s": how long a daemon may take for one answer, in place of what the command allows.
// The flag --timeout puts it here, so that what `sagalog run` starts has it too.
inline constexpr const char* kTimeoutVariable = "SAGALOG_TIMEOUT";

}  // namespace sagalog::tools
