#include "tools/scenario_check.h"

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "schema/json.h"
#include "tools/scenario_words.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

using enum WordKind;

constexpr ScenarioWord kCheckWords[] = {
    {"do"},
    {"expect"},
    {"saga"},
    // Of the saga.
    {"state", kWord, false,
     "planned dispatched running compensating completed failed compensated quarantined cancelled "},
    {"owner"},
    {"stage"},
    {"reason"},
    {"result"},
    {"section"},
    {"parked", kFlag},
    {"cancel_pending", kFlag},
    {"generation", kNumber},
    {"attempts", kNumber},
    {"recoveries", kNumber},
    {"dispatch_failures", kNumber},
    {"event_count", kNumber},
    {"stale", kTexts},
    {"children", kTexts},
    {"compensation_status", kWord, false, "none owed failed settled "},
    {"compensation", kObject},
    {"effects", kObject},
    {"events_in_order", kTexts},
    // Of a queue.
    {"queue"},
    {"slots_used", kNumber},
    {"planned", kNumber},
    {"frozen", kFlag},
};
constexpr std::string_view kQueueWords[] = {"slots_used", "planned", "frozen"};

bool IsQueueWord(std::string_view word) {
  return std::find(std::begin(kQueueWords), std::end(kQueueWords), word) != std::end(kQueueWords);
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

// "leased" or "leased(taken_over)".
bool IsEventPattern(std::string_view text) {
  const std::size_t bracket = text.find('(');
  const std::string_view type = text.substr(0, bracket);
  const auto is_type = [&](events::Body body) { return EventTypeName(body) == type; };
  const auto* last = events::EnumValuesBody() + static_cast<std::size_t>(events::Body::MAX) + 1;
  if (std::none_of(events::EnumValuesBody() + 1, last, is_type)) {
    return false;
  }
  if (bracket == std::string_view::npos) {
    return true;
  }
  if (!text.ends_with(')')) {
    return false;
  }
  const std::string_view detail = text.substr(bracket + 1, text.size() - bracket - 2);
  return (type == "terminal" && IsAmong(detail, schema::EnumNamesState() + 4)) ||
         (type == "leased" && IsAmong(detail, schema::EnumNamesLeaseHow())) ||
         (type == "recovered" && IsAmong(detail, schema::EnumNamesRecoverDecision())) ||
         (type == "owner_reported" && IsAmong(detail, schema::EnumNamesVerdict())) ||
         (type == "compensation_settled" &&
          IsAmong(detail, schema::EnumNamesCompensationOutcome()));
}

json::value SortedTexts(std::vector<std::string> texts) {
  std::sort(texts.begin(), texts.end());
  return json::array(texts.begin(), texts.end());
}

// Lists of texts are sets: their order does not matter.
json::value Comparable(const json::value& expected) {
  if (!expected.is_array()) {
    return expected;
  }
  std::vector<std::string> texts;
  for (const json::value& text : expected.get_array()) {
    texts.emplace_back(text.get_string());
  }
  return SortedTexts(std::move(texts));
}

json::object SagaFacts(const answers::SagaT& saga) {
  std::vector<std::string> stale;
  for (const auto& row : saga.stale) {
    stale.emplace_back(schema::EnumNameStaleReason(row->reason));
  }
  return {
      {"state", schema::EnumNameState(saga.state)},
      {"owner", saga.owner ? saga.owner->owner : ""},
      {"stage", saga.stage},
      {"reason", saga.reason},
      {"result", saga.result},
      {"section", saga.section ? saga.section->name : ""},
      {"parked", saga.parked},
      {"cancel_pending", saga.cancel_pending},
      {"generation", std::int64_t{saga.generation}},
      {"attempts", std::int64_t{saga.attempts}},
      {"recoveries", std::int64_t{saga.recoveries}},
      {"dispatch_failures", std::int64_t{saga.dispatch_failures}},
      {"event_count", static_cast<std::int64_t>(saga.version)},
      {"stale", SortedTexts(stale)},
      {"children", SortedTexts(saga.children)},
      {"compensation_status", schema::EnumNameCompensationStatus(saga.compensation_status)},
  };
}

json::object CompensationFacts(const answers::SagaT& saga) {
  json::object facts;
  for (const auto& compensation : saga.compensations) {
    facts[compensation->id] = schema::EnumNameCompensationState(compensation->state);
  }
  return facts;
}

json::object EffectFacts(const answers::SagaT& saga) {
  json::object facts;
  for (const auto& effect : saga.effects) {
    facts[effect->effect] = effect->settled ? effect->outcome : "in_doubt";
  }
  return facts;
}

class Comparison {
 public:
  void Add(std::string_view what, const json::value& expected, const json::value& actual) {
    if (expected != actual) {
      Say(fmt::format("{} is {}, not {}", what, json::serialize(actual),
                      json::serialize(expected)));
    }
  }
  // Those of the expected members that the step names.
  void AddNamed(std::string_view what, const json::object& step, std::string_view word,
                const json::object& actual) {
    const json::value* expected = step.if_contains(word);
    if (expected == nullptr) {
      return;
    }
    for (const auto& [name, value] : expected->get_object()) {
      const json::value* found = actual.if_contains(name);
      Add(fmt::format("{} {}", what, std::string_view(name)), value,
          found == nullptr ? json::value("absent") : *found);
    }
  }
  void Say(std::string_view text) { text_ += fmt::format("{}{}", text_.empty() ? "" : "; ", text); }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

void CompareQueue(const json::object& step, Store& store, Comparison& comparison) {
  if (std::none_of(std::begin(kQueueWords), std::end(kQueueWords),
                   [&](std::string_view word) { return step.contains(word); })) {
    return;
  }
  const auto queue = store.Queue(TextOf(step, "queue", "default"));
  if (!queue.ok()) {
    comparison.Say(queue.status().text());
    return;
  }
  const json::object actual{{"slots_used", static_cast<std::int64_t>(queue->slots_used)},
                            {"planned", static_cast<std::int64_t>(queue->planned)},
                            {"frozen", queue->frozen}};
  for (const auto& [name, value] : actual) {
    if (const json::value* expected = step.if_contains(name)) {
      comparison.Add(name, *expected, value);
    }
  }
}

void CompareEvents(const json::object& step, Store& store, Comparison& comparison) {
  const json::value* expected = step.if_contains("events_in_order");
  if (expected == nullptr) {
    return;
  }
  const auto history =
      store.History(TextOf(step, "saga"), false, std::numeric_limits<std::size_t>::max());
  if (!history.ok()) {
    comparison.Say(history.status().text());
    return;
  }
  const json::array& wanted = expected->get_array();
  auto next = wanted.begin();
  std::string seen;
  for (const StoredEvent& event : *history) {
    const std::string type(EventTypeName(event->body_type()));
    const std::string detail = DetailOf(*event);
    const std::string detailed = detail.empty() ? type : fmt::format("{}({})", type, detail);
    seen += (seen.empty() ? "" : ", ") + detailed;
    if (next != wanted.end() && (next->get_string() == type || next->get_string() == detailed)) {
      ++next;
    }
  }
  if (next != wanted.end()) {
    comparison.Say(fmt::format("{} is not among the events in that order, which are {}",
                               json::serialize(*next), seen));
  }
}

}  // namespace

Status CheckCheckWords(const json::object& step) {
  RETURN_IF_ERROR(CheckWords("check", step, kCheckWords));
  bool says_something = false;
  for (const auto& member : step) {
    const std::string_view word = member.key();
    const bool is_of_saga =
        word != "do" && word != "expect" && word != "saga" && word != "queue" && !IsQueueWord(word);
    says_something = says_something || is_of_saga || IsQueueWord(word);
    if (is_of_saga && !step.contains("saga")) {
      return {Code::kInvalidArgument, fmt::format("{}: of which saga? saga is missing", word)};
    }
  }
  if (!says_something) {
    return {Code::kInvalidArgument, "check: it says nothing that must be so"};
  }
  if (const json::value* expected = step.if_contains("events_in_order")) {
    for (const json::value& pattern : expected->get_array()) {
      if (!IsEventPattern(std::string_view(pattern.get_string()))) {
        return {Code::kInvalidArgument,
                fmt::format("events_in_order: there is no event {}", json::serialize(pattern))};
      }
    }
  }
  if (const json::value* expected = step.if_contains("stale")) {
    for (const json::value& reason : expected->get_array()) {
      if (!IsAmong(std::string_view(reason.get_string()), schema::EnumNamesStaleReason())) {
        return {Code::kInvalidArgument,
                fmt::format("stale: there is no reason {}", json::serialize(reason))};
      }
    }
  }
  return {};
}

std::string DifferenceFrom(const json::object& step, Store& store) {
  Comparison comparison;
  CompareQueue(step, store, comparison);
  if (!step.contains("saga")) {
    return comparison.text();
  }
  const auto saga = store.Find(TextOf(step, "saga"));
  if (!saga.ok()) {
    comparison.Say(saga.status().text());
    return comparison.text();
  }
  for (const auto& [name, value] : SagaFacts(*saga)) {
    if (const json::value* expected = step.if_contains(name)) {
      comparison.Add(name, Comparable(*expected), value);
    }
  }
  comparison.AddNamed("compensation", step, "compensation", CompensationFacts(*saga));
  comparison.AddNamed("effect", step, "effects", EffectFacts(*saga));
  CompareEvents(step, store, comparison);
  return comparison.text();
}

}  // namespace sagalog::tools
