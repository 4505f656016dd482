#include "tools/json_fields.h"

#include <limits>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace sagalog::tools {
namespace json = boost::json;

std::string_view TextIn(const json::object& object, std::string_view field) {
  const json::value* value = object.if_contains(field);
  const json::string* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string_view() : std::string_view(*text);
}

std::optional<std::int64_t> NumberIn(const json::object& object, std::string_view field) {
  const json::value* value = object.if_contains(field);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (const std::int64_t* number = value->if_int64(); number != nullptr) {
    return *number;
  }
  const std::uint64_t* number = value->if_uint64();
  if (number == nullptr || *number > std::numeric_limits<std::int64_t>::max()) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(*number);
}

bool FlagIn(const json::object& object, std::string_view field) {
  const json::value* value = object.if_contains(field);
  return value != nullptr && value->is_bool() && value->get_bool();
}

const json::object& ObjectIn(const json::object& object, std::string_view field) {
  static const json::object empty;
  const json::value* value = object.if_contains(field);
  return value == nullptr ? empty : AsObject(*value);
}

const json::array& ArrayIn(const json::object& object, std::string_view field) {
  static const json::array empty;
  const json::value* value = object.if_contains(field);
  return value != nullptr && value->is_array() ? value->get_array() : empty;
}

const json::object& AsObject(const json::value& value) {
  static const json::object empty;
  return value.is_object() ? value.get_object() : empty;
}

std::string InWords(const json::value& value) {
  if (value.is_string()) {
    return std::string(std::string_view(value.get_string()));
  }
  if (value.is_bool()) {
    return value.get_bool() ? "yes" : "no";
  }
  return json::serialize(value);
}

std::string InWords(const json::object& object, std::string_view field) {
  const json::value* value = object.if_contains(field);
  return value == nullptr || value->is_null() ? "" : InWords(*value);
}

std::string OwnerInWords(const json::value& owner) {
  if (owner.is_string()) {
    return InWords(owner);
  }
  const json::object& fields = AsObject(owner);
  std::string incarnation;
  for (const std::string_view field : {"host", "boot_id", "pid_namespace", "pid", "pid_start"}) {
    if (const std::string text = InWords(fields, field); !text.empty()) {
      incarnation += fmt::format("{}{} {}", incarnation.empty() ? "" : ", ", field, text);
    }
  }
  const std::string name(TextIn(fields, "owner"));
  return incarnation.empty() ? name : fmt::format("{} ({})", name, incarnation);
}

}  // namespace sagalog::tools
