// Numbers from their JSON forms.
//
// Thread-safe: all functions are pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "schema/json_text.h"
#include "schema/saga_generated.h"
#include "schema/schema_reflection.h"
#include "schema/status.h"

namespace sagalog {

// The number that a field of a scalar kind keeps for `value`; one above INT64_MAX as its bits. The
// status of a refusal is the problem alone, without the field's path.
[[nodiscard]] Result<std::int64_t> ScalarFromJson(const FieldForm& field, const JsonValue& value);

// The position of `name` among the values, if it is one.
[[nodiscard]] std::optional<std::uint8_t> FindEnumValue(const EnumForm& form,
                                                        std::string_view name);
// "a, b, c"
[[nodiscard]] std::string ListEnumValues(const EnumForm& form);

// From exactly 32 hex digits.
[[nodiscard]] std::optional<schema::RequestId> RequestIdFromHex(std::string_view text);

}  // namespace sagalog
