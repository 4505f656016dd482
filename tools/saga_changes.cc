#include "tools/saga_changes.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "tools/json_fields.h"
#include "tools/moment.h"
#include "tools/saga_sheet.h"
#include "tools/terminal.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

bool IsNothing(const json::value* value) {
  if (value == nullptr || value->is_null()) {
    return true;
  }
  switch (value->kind()) {
    case json::kind::bool_: return !value->get_bool();
    case json::kind::int64: return value->get_int64() == 0;
    case json::kind::uint64: return value->get_uint64() == 0;
    case json::kind::string: return value->get_string().empty();
    case json::kind::array: return value->get_array().empty();
    case json::kind::object: return value->get_object().empty();
    default: return false;
  }
}

// What an entry of a list is called: compensations have an id, effects the effect.
std::string_view NameOf(const json::value& entry) {
  const json::object& object = AsObject(entry);
  const std::string_view id = TextIn(object, "id");
  return id.empty() ? TextIn(object, "effect") : id;
}

bool IsNamedList(const json::value* value) {
  return value != nullptr && value->is_array() && !value->get_array().empty() &&
         !NameOf(value->get_array().front()).empty();
}

const json::value* Named(const json::value* list, std::string_view name) {
  if (list == nullptr || !list->is_array()) {
    return nullptr;
  }
  const json::array& entries = list->get_array();
  const auto found = std::find_if(entries.begin(), entries.end(), [name](const json::value& entry) {
    return NameOf(entry) == name;
  });
  return found == entries.end() ? nullptr : &*found;
}

const json::value* Member(const json::value* object, std::string_view name) {
  return object != nullptr && object->is_object() ? object->get_object().if_contains(name)
                                                  : nullptr;
}

class Comparison {
 public:
  void Compare(const std::string& field, const json::value* from, const json::value* to) {
    if ((IsNothing(from) && IsNothing(to)) || (from != nullptr && to != nullptr && *from == *to)) {
      return;
    }
    if (field != "owner" && field != "stale" && (IsObject(from) || IsObject(to))) {
      CompareObjects(field, from, to);
    } else if (IsNamedList(from) || IsNamedList(to)) {
      CompareLists(field, from, to);
    } else {
      changes.push_back(
          {field, from == nullptr ? json::value() : *from, to == nullptr ? json::value() : *to});
    }
  }

  // The members of both, those of `to` first, so that their order is its.
  void CompareObjects(const std::string& field, const json::value* from, const json::value* to) {
    const std::string prefix = field.empty() ? "" : field + ".";
    for (const json::value* side : {to, from}) {
      if (!IsObject(side)) {
        continue;
      }
      for (const auto& [name, value] : side->get_object()) {
        const bool seen = side == from && Member(to, name) != nullptr;
        const bool is_name = !field.empty() && (name == "id" || name == "effect");
        if (!seen && !is_name) {
          Compare(prefix + std::string(name), Member(from, name), Member(to, name));
        }
      }
    }
  }

  std::vector<SagaChange> changes;

 private:
  static bool IsObject(const json::value* value) { return value != nullptr && value->is_object(); }

  void CompareLists(const std::string& field, const json::value* from, const json::value* to) {
    for (const json::value* side : {from, to}) {
      if (side == nullptr || !side->is_array()) {
        continue;
      }
      for (const json::value& entry : side->get_array()) {
        const std::string_view name = NameOf(entry);
        if (side == from || Named(from, name) == nullptr) {
          Compare(fmt::format("{}[{}]", field, name), Named(from, name), Named(to, name));
        }
      }
    }
  }
};

}  // namespace

std::vector<SagaChange> CompareSagas(const json::object& from, const json::object& to) {
  const json::value before(from);
  const json::value after(to);
  Comparison comparison;
  comparison.CompareObjects("", &before, &after);
  return std::move(comparison.changes);
}

std::string ChangedValue(const SagaChange& change, const json::value& value) {
  if (IsNothing(&value)) {
    return "-";
  }
  if (change.field == "owner") {
    return OwnerInWords(value);
  }
  if (change.field == "stale" && value.is_array()) {
    return ReasonNames(value.get_array());
  }
  if (change.field == "payload") {
    return "(bytes)";
  }
  if (value.is_array()) {
    std::string words;
    for (const json::value& entry : value.get_array()) {
      words += (words.empty() ? "" : ", ") + InWords(entry);
    }
    return words;
  }
  const std::string words = InWords(value);
  const bool is_time = change.field.ends_with("_at") || change.field.ends_with(".at") ||
                       change.field.ends_with("since") || change.field == "not_before";
  return is_time ? ToTheSecond(words) : Printable(words);
}

bool IsTelling(const SagaChange& change) {
  return change.field != "version" && change.field != "sequence" &&
         change.field != "heartbeat_at" && change.field != "saga_id";
}

}  // namespace sagalog::tools
