// What an answer to a repeated request says about the first sending of it.
#pragma once

#include "schema/frame_bytes.h"
#include "schema/status.h"

namespace sagalog {

// OK when the answer counts. kIndeterminate when the request left before, its answer was lost, and
// this one is a refusal that the daemon gives without having looked whether it has answered the
// request before: the request may have been carried out all the same. Of a batch, when that is so
// of any of its commands.
[[nodiscard]] Status JudgeRepeatedAnswer(const frames::Frame& frame);

}  // namespace sagalog
