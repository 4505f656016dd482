// The rows of lists, of a store as it is and as it was.
#pragma once

#include <string_view>

#include "projections/projections.h"
#include "reactor/store.h"
#include "schema/answers_generated.h"
#include "schema/store_time.h"

namespace sagalog {

[[nodiscard]] answers::StaleRowT StaleRowOf(const Projections& state, const Saga& saga,
                                            StoreTime now);

[[nodiscard]] answers::QueueT QueueRowOf(const Projections& state, std::string_view queue,
                                         StoreTime now);

// Whatever of the query can be told without the log: all but the value of a label.
[[nodiscard]] bool MatchesButForLabel(const Saga& saga, const SagaQuery& query);

}  // namespace sagalog
