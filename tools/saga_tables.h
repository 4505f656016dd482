// Lists of sagas as tables for people.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include <boost/json/array.hpp>

#include "schema/store_time.h"

namespace sagalog::tools {

// A row for each saga. `now` = the time by the store's clock, when known; `columns` as for Table.
[[nodiscard]] std::string SagaTable(const boost::json::array& items, std::optional<StoreTime> now,
                                    std::size_t columns, bool color);

// A row for each row of the stale index.
[[nodiscard]] std::string StaleTable(const boost::json::array& items, std::optional<StoreTime> now,
                                     std::size_t columns, bool color);

}  // namespace sagalog::tools
