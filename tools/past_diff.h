// `sagalog diff`: what changed between two moments.
#pragma once

#include <string>

#include "reactor/past_place.h"
#include "schema/status.h"
#include "tools/global_options.h"
#include "tools/past_record.h"

namespace sagalog::tools {

// Prints what changed in each saga, in the order of planning: by its events, by those of others
// that show in it, and by time alone. `saga`: only this one, empty = all. kInvalidArgument when
// `from` is later than `to`.
[[nodiscard]] Status ShowPastDiff(const GlobalOptions& global, const PastRecord& record,
                                  const PastPlace& from, const PastPlace& to,
                                  const std::string& saga);

}  // namespace sagalog::tools
