#include "tools/scenario_check.h"

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "schema/event_stub.h"
#include "tools/scenario_events.h"
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
    {"refusals", kTexts},
    {"stubs", kNumber},
    // Of a queue.
    {"queue"},
    {"slots_used", kNumber},
    {"planned", kNumber},
    {"frozen", kFlag},
    // Of the store.
    {"store_events", kTexts},
};
constexpr std::string_view kQueueWords[] = {"slots_used", "planned", "frozen"};

bool IsQueueWord(std::string_view word) {
  return std::find(std::begin(kQueueWords), std::end(kQueueWords), word) != std::end(kQueueWords);
}

// Those that are about the store and about no saga of it.
bool IsStoreWord(std::string_view word) { return IsQueueWord(word) || word == "store_events"; }

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

std::string InOneLine(const std::vector<EventText>& events) {
  std::string line;
  for (const EventText& event : events) {
    line += (line.empty() ? "" : ", ") + event.detailed;
  }
  return line;
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

// The saga's own events.
void CompareHistory(const json::object& step, Store& store, Comparison& comparison) {
  const json::value* in_order = step.if_contains("events_in_order");
  const json::value* stubs = step.if_contains("stubs");
  if (in_order == nullptr && stubs == nullptr) {
    return;
  }
  const auto history =
      store.History(TextOf(step, "saga"), false, std::numeric_limits<std::size_t>::max());
  if (!history.ok()) {
    comparison.Say(history.status().text());
    return;
  }
  std::vector<EventText> events;
  std::int64_t stubs_found = 0;
  for (const StoredEvent& event : *history) {
    events.push_back(TextOfEvent(*event));
    stubs_found += IsStub(*event) ? 1 : 0;
  }
  if (stubs != nullptr) {
    comparison.Add("stubs", *stubs, stubs_found);
  }
  if (in_order == nullptr) {
    return;
  }
  const json::array& wanted = in_order->get_array();
  auto next = wanted.begin();
  for (const EventText& event : events) {
    if (next != wanted.end() && IsEvent(std::string_view(next->get_string()), event)) {
      ++next;
    }
  }
  if (next != wanted.end()) {
    comparison.Say(fmt::format("{} is not among the events in that order, which are {}",
                               json::serialize(*next), InOneLine(events)));
  }
}

// All of them, oldest first.
void CompareRefusals(const json::object& step, Store& store, Comparison& comparison) {
  const json::value* expected = step.if_contains("refusals");
  if (expected == nullptr) {
    return;
  }
  const auto records = store.Refusals(TextOf(step, "saga"));
  if (!records.ok()) {
    comparison.Say(records.status().text());
    return;
  }
  json::array actual;
  for (const RefusalRecord& record : *records) {
    actual.emplace_back(TextOfRefusal(record.facts));
  }
  comparison.Add("refusals", *expected, actual);
}

// All events of no saga, oldest first.
void CompareStoreEvents(const json::object& step, Store& store, Comparison& comparison) {
  const json::value* expected = step.if_contains("store_events");
  if (expected == nullptr) {
    return;
  }
  // What is due by now gets its turn before the log is looked at.
  const auto turn = store.Policy();
  if (!turn.ok()) {
    comparison.Say(turn.status().text());
    return;
  }
  std::vector<EventText> events;
  const EventLog& log = store.log();
  const Status scanned = log.Scan(Sequence(1), log.Last(), [&](const events::Event& event, auto) {
    if (event.saga_id() == nullptr || event.saga_id()->size() == 0) {
      events.push_back(TextOfEvent(event));
    }
    return Status();
  });
  const json::array& wanted = expected->get_array();
  const bool same = std::equal(wanted.begin(), wanted.end(), events.begin(), events.end(),
                               [](const json::value& text, const EventText& event) {
                                 return IsEvent(std::string_view(text.get_string()), event);
                               });
  if (!scanned.ok() || !same) {
    comparison.Say(fmt::format("the store's own events are {}, not {}", InOneLine(events),
                               json::serialize(*expected)));
  }
}

// Each text of a list must be one of those there can be.
template <typename Pattern>
Status CheckTextsOf(const json::object& step, std::string_view word, const Pattern& can_be,
                    std::string_view what) {
  if (const json::value* texts = step.if_contains(word)) {
    for (const json::value& text : texts->get_array()) {
      if (!can_be(std::string_view(text.get_string()))) {
        return {Code::kInvalidArgument,
                fmt::format("{}: there is no {} {}", word, what, json::serialize(text))};
      }
    }
  }
  return {};
}

bool IsStaleReason(std::string_view text) {
  const auto* names = schema::EnumNamesStaleReason();
  return std::any_of(names, names + static_cast<std::size_t>(schema::StaleReason::MAX) + 1,
                     [&](const char* name) { return text == name; });
}

}  // namespace

Status CheckCheckWords(const json::object& step) {
  RETURN_IF_ERROR(CheckWords("check", step, kCheckWords));
  bool says_something = false;
  for (const auto& member : step) {
    const std::string_view word = member.key();
    const bool is_of_saga =
        word != "do" && word != "expect" && word != "saga" && word != "queue" && !IsStoreWord(word);
    says_something = says_something || is_of_saga || IsStoreWord(word);
    if (is_of_saga && !step.contains("saga")) {
      return {Code::kInvalidArgument, fmt::format("{}: of which saga? saga is missing", word)};
    }
  }
  if (!says_something) {
    return {Code::kInvalidArgument, "check: it says nothing that must be so"};
  }
  RETURN_IF_ERROR(CheckTextsOf(step, "events_in_order", IsEventPattern, "event"));
  RETURN_IF_ERROR(CheckTextsOf(step, "store_events", IsEventPattern, "event"));
  RETURN_IF_ERROR(CheckTextsOf(step, "refusals", IsRefusalPattern, "refusal"));
  return CheckTextsOf(step, "stale", IsStaleReason, "reason");
}

std::string DifferenceFrom(const json::object& step, Store& store) {
  Comparison comparison;
  CompareQueue(step, store, comparison);
  CompareStoreEvents(step, store, comparison);
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
  CompareHistory(step, store, comparison);
  CompareRefusals(step, store, comparison);
  return comparison.text();
}

}  // namespace sagalog::tools
