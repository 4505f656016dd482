// `sagalog at`: a saga, or everything, as it was.
#pragma once

#include <string>

#include "schema/status.h"
#include "tools/global_options.h"
#include "tools/past_record.h"

namespace sagalog::tools {

// Prints everything known of the saga then.
[[nodiscard]] Status ShowPastSaga(const GlobalOptions& global, const PastRecord& record,
                                  const PastPlace& place, const std::string& saga);

// Prints all sagas, what the stale index listed, and the queues; `live_only` leaves out those that
// had ended and owed nothing.
[[nodiscard]] Status ShowPastStore(const GlobalOptions& global, const PastRecord& record,
                                   const PastPlace& place, bool live_only);

}  // namespace sagalog::tools
