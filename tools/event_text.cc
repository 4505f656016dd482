#include "tools/event_text.h"

#include <algorithm>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "schema/base64.h"
#include "tools/json_fields.h"
#include "tools/moment.h"
#include "tools/saga_sheet.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

std::string ValueInWords(std::string_view name, const json::value& value);

// "T1 complete at 03:18:00: stale_token, another token holds it now (token 3, holder w2)".
std::string RefusalInWords(const json::object& refusal) {
  const std::string time = ToTheSecond(TextIn(refusal, "time"));
  std::string facts;
  for (const char* name : {"actor", "token", "holder"}) {
    const json::value* const value = refusal.if_contains(name);
    const std::string text = value == nullptr ? "" : ValueInWords(name, *value);
    if (!text.empty()) {
      facts += fmt::format("{}{} {}", facts.empty() ? "" : ", ", name, text);
    }
  }
  return fmt::format("{} {} at {}: {}{}{}{}", TextIn(refusal, "saga_id"),
                     TextIn(refusal, "command"),
                     time.substr(std::min(time.find('T') + 1, time.size())),
                     TextIn(refusal, "code"), TextIn(refusal, "detail").empty() ? "" : ", ",
                     TextIn(refusal, "detail"), facts.empty() ? "" : " (" + facts + ")");
}

std::string RefusalsInWords(const json::array& refusals) {
  std::string out;
  for (const json::value& refusal : refusals) {
    out += (out.empty() ? "" : "; ") + RefusalInWords(AsObject(refusal));
  }
  return out;
}

std::string ValueInWords(std::string_view name, const json::value& value) {
  if (name == "refusals" && value.is_array()) {
    return RefusalsInWords(value.get_array());
  }
  if (name == "payload" && value.is_string()) {
    const auto bytes = DecodeBase64(std::string_view(value.get_string()));
    return fmt::format("{} bytes", bytes ? bytes->size() : 0);
  }
  if (value.is_object()) {
    return value.get_object().contains("owner")
               ? std::string(TextIn(value.get_object(), "owner"))
               : fmt::format("({})", PairsInWords(value.get_object()));
  }
  if (value.is_array()) {
    std::string out;
    for (const json::value& element : value.get_array()) {
      const json::object& object = AsObject(element);
      const std::string_view id = TextIn(object, "id");
      out += out.empty() ? "" : ",";
      out += id.empty() ? InWords(element) : std::string(id);
    }
    return out;
  }
  const std::string text = InWords(value);
  return name.ends_with("_at") || name == "not_before" ? ToTheSecond(text) : text;
}

// What says itself by its value alone.
bool SpeaksForItself(std::string_view name) {
  return name == "how" || name == "state" || name == "decision" || name == "text" ||
         name == "stage" || name == "refusals";
}

}  // namespace

std::string EventDetail(const json::object& event) {
  std::string out;
  for (const auto& [key, value] : ObjectIn(event, "body")) {
    const std::string_view name(key);
    const bool empty = (value.is_array() && value.get_array().empty()) ||
                       (value.is_object() && value.get_object().empty()) ||
                       (value.is_string() && value.get_string().empty()) || value.is_null();
    if (empty) {
      continue;
    }
    std::string words(name);
    std::replace(words.begin(), words.end(), '_', ' ');
    const std::string text = ValueInWords(name, value);
    out += out.empty() ? "" : ", ";
    out += SpeaksForItself(name) ? text : fmt::format("{} {}", words, text);
  }
  return out;
}

}  // namespace sagalog::tools
