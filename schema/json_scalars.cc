#include "schema/json_scalars.h"

#include <limits>

#include <fmt/format.h>

#include "schema/store_time.h"

namespace sagalog {
namespace {

Status Problem(std::string text) { return Status(Code::kInvalidArgument, std::move(text)); }

std::int64_t LowestOf(const FieldForm& field) {
  if (!field.is_signed) {
    return 0;
  }
  return field.width == 4 ? std::numeric_limits<std::int32_t>::min()
                          : std::numeric_limits<std::int64_t>::min();
}

std::uint64_t HighestOf(const FieldForm& field) {
  const std::uint64_t all_bits = std::numeric_limits<std::uint64_t>::max();
  return all_bits >> (64 - 8 * field.width + (field.is_signed ? 1 : 0));
}

Result<std::int64_t> IntegerFromJson(const FieldForm& field, const JsonValue& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value.is)) {
    const bool fits = *number < 0 ? *number >= LowestOf(field)
                                  : static_cast<std::uint64_t>(*number) <= HighestOf(field);
    if (fits) {
      return *number;
    }
  }
  if (const auto* number = std::get_if<std::uint64_t>(&value.is)) {
    if (*number <= HighestOf(field)) {
      return static_cast<std::int64_t>(*number);
    }
  }
  return Problem(
      fmt::format("expected a whole number from {} to {}", LowestOf(field), HighestOf(field)));
}

Result<std::int64_t> DurationFromText(const std::string& text) {
  ASSIGN_OR_RETURN(const Duration duration, ParseDuration(text));
  return duration.count();
}

Result<std::int64_t> TimeFromText(const std::string& text) {
  ASSIGN_OR_RETURN(const StoreTime time, ParseTime(text));
  return ToMicros(time);
}

Result<std::int64_t> EnumFromText(const FieldForm& field, const std::string* text) {
  if (text != nullptr) {
    if (const auto value = FindEnumValue(*field.enumeration, *text)) {
      return std::int64_t{*value};
    }
  }
  return Problem(fmt::format("expected one of {}", ListEnumValues(*field.enumeration)));
}

}  // namespace

Result<std::int64_t> ScalarFromJson(const FieldForm& field, const JsonValue& value) {
  const auto* text = std::get_if<std::string>(&value.is);
  if (text != nullptr && field.off && *text == "off") {
    return kOff;
  }
  if (text != nullptr && field.version_or_none && *text == "none") {
    return 0;
  }
  switch (field.kind) {
    case FieldKind::kBool:
      if (const auto* flag = std::get_if<bool>(&value.is)) {
        return std::int64_t{*flag};
      }
      return Problem("expected true or false");
    case FieldKind::kEnum: return EnumFromText(field, text);
    case FieldKind::kTime:
      return text == nullptr ? Problem("expected an RFC 3339 time") : TimeFromText(*text);
    case FieldKind::kDuration: {
      Result<std::int64_t> micros =
          text == nullptr ? Problem("expected a duration, like \"30s\"") : DurationFromText(*text);
      // What is switched off is kept as this number: it has to be said by its name.
      return micros.ok() && field.off && *micros == kOff ? Problem("a duration may not be negative")
                                                         : std::move(micros);
    }
    default: break;
  }
  Result<std::int64_t> number = IntegerFromJson(field, value);
  return number.ok() && field.off && *number == kOff
             ? Problem("a count may not be negative; no limit is \"off\"")
             : std::move(number);
}

std::optional<std::uint8_t> FindEnumValue(const EnumForm& form, std::string_view name) {
  for (std::size_t value = 0; value < form.values.size(); ++value) {
    if (form.values[value] == name) {
      return static_cast<std::uint8_t>(value);
    }
  }
  return std::nullopt;
}

std::string ListEnumValues(const EnumForm& form) {
  return fmt::format("{}", fmt::join(form.values, ", "));
}

std::optional<schema::RequestId> RequestIdFromHex(std::string_view text) {
  if (text.size() != 32) {
    return std::nullopt;
  }
  std::uint64_t halves[2] = {0, 0};
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    std::uint64_t digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<std::uint64_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<std::uint64_t>(c - 'a') + 10;
    } else if (c >= 'A' && c <= 'F') {
      digit = static_cast<std::uint64_t>(c - 'A') + 10;
    } else {
      return std::nullopt;
    }
    std::uint64_t& half = halves[i / 16];
    half = half << 4 | digit;
  }
  return schema::RequestId(halves[0], halves[1]);
}

}  // namespace sagalog
