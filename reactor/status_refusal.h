// An error of the store as callers on the other side of a wire see it, and back.
#pragma once

#include <string_view>

#include "schema/answers_generated.h"
#include "schema/status.h"

namespace sagalog {

// A refusal with the error's words; `saga` may be empty. What is no fault of the request is about a
// store that cannot take it: read_only.
[[nodiscard]] answers::RefusalT RefusalOf(const Status& status, std::string_view saga);

// What a refused read was refused with.
[[nodiscard]] Status StatusOf(const answers::RefusalT& refusal);

}  // namespace sagalog
