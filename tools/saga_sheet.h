// Everything known of one saga, on a sheet for people.
#pragma once

#include <optional>
#include <string>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "schema/store_time.h"

namespace sagalog::tools {

// `now` = the store's time, when known.
[[nodiscard]] std::string SagaSheet(const boost::json::object& saga, std::optional<StoreTime> now,
                                    std::size_t columns, bool color);

// "lease_expired, compensation_owed": the names of stale reasons.
[[nodiscard]] std::string ReasonNames(const boost::json::array& reasons);

// The members of an object as "a=b c=d".
[[nodiscard]] std::string PairsInWords(const boost::json::object& object);

}  // namespace sagalog::tools
