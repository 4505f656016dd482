// What becomes of a request whose sender may not make it.
#pragma once

#include "reactor/api_routes.h"

namespace sagalog {

// The answer to a request that was refused for who asks, before it was read; `route` = null where
// there is none. It is counted, and a command that is `forbidden` is also noted in the store, as it
// would be had it been read first.
[[nodiscard]] ApiResponse Deny(const ApiCall& call, const ApiRoute* route,
                               answers::RefusalT refusal);

}  // namespace sagalog
