// What differs between two looks at one saga.
#pragma once

#include <string>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace sagalog::tools {

// One field that differs. Of lists whose entries have names the name stands in brackets:
// "compensations[undo].state".
struct SagaChange {
  std::string field;
  // Null = not there.
  boost::json::value from;
  boost::json::value to;
};

// In the order in which a saga's fields are written. What is absent, false, zero or empty is the
// same. An empty object stands for a saga that was not planned.
[[nodiscard]] std::vector<SagaChange> CompareSagas(const boost::json::object& from,
                                                   const boost::json::object& to);

// A value of a change for people: "-" where there is none.
[[nodiscard]] std::string ChangedValue(const SagaChange& change, const boost::json::value& value);

// Whether the field tells people anything: not the counters that every event moves.
[[nodiscard]] bool IsTelling(const SagaChange& change);

}  // namespace sagalog::tools
