// JSON text as a tree that keeps what a caller wrote: the order of the members, and whether a
// number was whole.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "schema/status.h"

namespace sagalog {

struct JsonNull {};
struct JsonMember;

// A value; copies are independent.
struct JsonValue {
  using Array = std::vector<JsonValue>;
  using Object = std::vector<JsonMember>;

  // A whole number is an int64, one above INT64_MAX a uint64; every other one, "1.0" and "1e3"
  // among them, is a double.
  std::variant<JsonNull, bool, std::int64_t, std::uint64_t, double, std::string, Array, Object> is;
};

struct JsonMember {
  std::string name;
  JsonValue value;
};

// kInvalidArgument unless `text` is one JSON value (RFC 8259, UTF-8), no deeper than kJsonDepthMax,
// of no more than kJsonValuesMax values, and without an object that has a name twice.
// Thread-safe: a pure function.
[[nodiscard]] Result<JsonValue> ParseJsonText(std::string_view text);

}  // namespace sagalog
