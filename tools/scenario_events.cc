#include "tools/scenario_events.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "schema/json.h"
#include "tools/scenario_words.h"

namespace sagalog::tools {
namespace {

// Of refusals in the log: those with their facts, and those that are only counted.
std::string CountsOf(const events::RefusalsNoted& noted) {
  const std::size_t kept = noted.refusals() == nullptr ? 0 : noted.refusals()->size();
  return fmt::format("{}+{}", kept, noted.counted());
}

// What stands in brackets behind an event's type; empty = nothing does.
std::string DetailOf(const events::Event& event) {
  switch (event.body_type()) {
    case events::Body::Terminal: return schema::EnumNameState(event.body_as_Terminal()->state());
    case events::Body::Leased: return schema::EnumNameLeaseHow(event.body_as_Leased()->how());
    case events::Body::CompensationSettled:
      return schema::EnumNameCompensationOutcome(event.body_as_CompensationSettled()->outcome());
    case events::Body::Recovered:
      return schema::EnumNameRecoverDecision(event.body_as_Recovered()->decision());
    case events::Body::OwnerReported:
      return schema::EnumNameVerdict(event.body_as_OwnerReported()->verdict());
    case events::Body::RefusalsNoted: return CountsOf(*event.body_as_RefusalsNoted());
    default: return {};
  }
}

template <typename Names>
bool IsAmong(std::string_view text, Names names) {
  for (; *names != nullptr; ++names) {
    if (text == *names) {
      return true;
    }
  }
  return false;
}

bool IsNumber(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// "100+50".
bool AreCounts(std::string_view text) {
  const std::size_t plus = text.find('+');
  return plus != std::string_view::npos && IsNumber(text.substr(0, plus)) &&
         IsNumber(text.substr(plus + 1));
}

bool IsDetail(std::string_view type, std::string_view detail) {
  return (type == "terminal" && IsAmong(detail, schema::EnumNamesState() + 4)) ||
         (type == "leased" && IsAmong(detail, schema::EnumNamesLeaseHow())) ||
         (type == "recovered" && IsAmong(detail, schema::EnumNamesRecoverDecision())) ||
         (type == "owner_reported" && IsAmong(detail, schema::EnumNamesVerdict())) ||
         (type == "refusals_noted" && AreCounts(detail)) ||
         (type == "compensation_settled" &&
          IsAmong(detail, schema::EnumNamesCompensationOutcome()));
}

// A text before the brackets and one in them; none = there are no brackets.
std::pair<std::string_view, std::optional<std::string_view>> Split(std::string_view text) {
  const std::size_t bracket = text.find('(');
  if (bracket == std::string_view::npos || !text.ends_with(')')) {
    return {text, std::nullopt};
  }
  return {text.substr(0, bracket), text.substr(bracket + 1, text.size() - bracket - 2)};
}

}  // namespace

EventText TextOfEvent(const events::Event& event) {
  EventText text;
  text.type = EventTypeName(event.body_type());
  const std::string detail = DetailOf(event);
  text.detailed = detail.empty() ? text.type : fmt::format("{}({})", text.type, detail);
  return text;
}

bool IsEvent(std::string_view text, const EventText& event) {
  return text == event.type || text == event.detailed;
}

bool IsEventPattern(std::string_view text) {
  const auto [type, detail] = Split(text);
  const auto is_type = [name = type](events::Body body) { return EventTypeName(body) == name; };
  const auto* last = events::EnumValuesBody() + static_cast<std::size_t>(events::Body::MAX) + 1;
  return std::any_of(events::EnumValuesBody() + 1, last, is_type) &&
         (!detail || IsDetail(type, *detail));
}

std::string TextOfRefusal(const events::NotedRefusalT& refusal) {
  return fmt::format("{}({})", refusal.command, schema::EnumNameRefusalCode(refusal.code));
}

bool IsRefusalPattern(std::string_view text) {
  const auto [command, code] = Split(text);
  return IsCommand(command) && code && IsRefusalCode(*code);
}

bool IsRefusalCode(std::string_view text) {
  const auto* names = schema::EnumNamesRefusalCode();
  return std::any_of(names + 1, names + static_cast<std::size_t>(schema::RefusalCode::MAX) + 1,
                     [&](const char* name) { return text == name; });
}

}  // namespace sagalog::tools
