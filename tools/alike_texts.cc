#include "tools/alike_texts.h"

#include <algorithm>
#include <set>
#include <string_view>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "projections/redaction.h"
#include "tools/export_text.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

void AddTexts(const json::value& value, std::set<std::string>& texts) {
  if (value.is_string()) {
    texts.emplace(value.get_string().c_str(), value.get_string().size());
  } else if (value.is_array()) {
    for (const json::value& item : value.get_array()) {
      AddTexts(item, texts);
    }
  } else if (value.is_object()) {
    for (const auto& member : value.get_object()) {
      AddTexts(member.value(), texts);
    }
  }
}

std::set<std::string> TextsOf(const events::Event& event) {
  std::set<std::string> texts;
  AddTexts(json::parse(BodyToJson(event)), texts);
  return texts;
}

bool IsSaid(const flatbuffers::String* text) { return text != nullptr && text->size() > 0; }

}  // namespace

TextsOfEvent TextsToTakeOut(const events::Event& event) {
  TextsOfEvent out;
  const std::string left = RedactedBytes(event, EventHash{});
  const std::set<std::string> after = TextsOf(*events::GetEvent(left.data()));
  for (const std::string& text : TextsOf(event)) {
    if (!text.empty() && !after.contains(text)) {
      out.texts.push_back(text);
    }
  }
  out.any = !out.texts.empty() || IsSaid(event.actor()) || IsSaid(event.traceparent());
  // In JSON it is base64, which is not how it stands in the log.
  const auto* planned = event.body_as_Planned();
  if (planned != nullptr && planned->payload() != nullptr) {
    out.texts.emplace_back(reinterpret_cast<const char*>(planned->payload()->data()),
                           planned->payload()->size());
  }
  return out;
}

Result<AlikeEvents> FindAlike(const EventLog& log, const std::vector<std::string>& texts,
                              Sequence except) {
  std::vector<std::string_view> wanted;
  for (const std::string& text : texts) {
    if (text.size() >= kAlikeTextMin) {
      wanted.emplace_back(text);
    }
  }
  AlikeEvents alike;
  if (wanted.empty()) {
    return alike;
  }
  const auto look = [&](const events::Event& event, std::string_view bytes) {
    const bool found = std::any_of(wanted.begin(), wanted.end(), [&](std::string_view text) {
      return bytes.find(text) != std::string_view::npos;
    });
    if (found && event.sequence() != except.value()) {
      ++alike.count;
      if (alike.first.size() < kAlikeNamedMax) {
        alike.first.emplace_back(event.sequence());
      }
    }
    return Status();
  };
  RETURN_IF_ERROR(log.Scan(Sequence(1), log.Last(), look));
  return alike;
}

std::string InWords(const AlikeEvents& alike) {
  if (alike.count == 0) {
    return {};
  }
  if (alike.count == 1) {
    return fmt::format("alike text stands in event {}: redact it too", alike.first.front().value());
  }
  std::string text = "alike text stands in the events ";
  for (std::size_t i = 0; i < alike.first.size(); ++i) {
    const bool last = i + 1 == alike.first.size() && alike.count == alike.first.size();
    text += fmt::format("{}{}", i == 0 ? "" : (last ? " and " : ", "), alike.first[i].value());
  }
  if (alike.count > alike.first.size()) {
    text += fmt::format(" and {} more", alike.count - alike.first.size());
  }
  return text + ": redact them too";
}

}  // namespace sagalog::tools
