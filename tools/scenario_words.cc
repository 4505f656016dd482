#include "tools/scenario_words.h"

#include <algorithm>
#include <vector>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "schema/answers_generated.h"
#include "schema/json.h"
#include "schema/store_time.h"
#include "tools/scenario_arguments.h"
#include "tools/scenario_check.h"
#include "tools/scenario_events.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

Status Wrong(std::string_view word, std::string_view what) {
  return {Code::kInvalidArgument, fmt::format("{}: {}", word, what)};
}

bool IsAmong(std::string_view value, std::string_view choices) {
  return value.find(' ') == std::string_view::npos && !value.empty() &&
         fmt::format(" {}", choices).find(fmt::format(" {} ", value)) != std::string::npos;
}

Status CheckDuration(std::string_view word, const json::value& value, bool may_be_negative) {
  if (!value.is_string()) {
    return Wrong(word, "not a text: a duration is written as \"30s\"");
  }
  const auto duration = ParseDuration(std::string_view(value.get_string()));
  if (!duration.ok()) {
    return Wrong(word, duration.status().text());
  }
  return *duration < Duration() && !may_be_negative ? Wrong(word, "time does not run backwards")
                                                    : Status();
}

Status CheckTexts(std::string_view word, const json::value& value) {
  const bool texts =
      value.is_array() && std::all_of(value.get_array().begin(), value.get_array().end(),
                                      [](const auto& one) { return one.is_string(); });
  return texts ? Status() : Wrong(word, "not a list of texts");
}

Status CheckSteps(std::string_view word, const json::value& value) {
  const bool steps = value.is_array() && !value.get_array().empty() &&
                     std::all_of(value.get_array().begin(), value.get_array().end(),
                                 [](const auto& one) { return one.is_object(); });
  return steps ? Status() : Wrong(word, "not a list of at least one command");
}

Status CheckKind(const ScenarioWord& word, const json::value& value) {
  switch (word.kind) {
    case WordKind::kText: return value.is_string() ? Status() : Wrong(word.name, "not a text");
    case WordKind::kWord:
      return value.is_string() && IsAmong(std::string_view(value.get_string()), word.choices)
                 ? Status()
                 : Wrong(word.name, fmt::format("{} is none of: {}", json::serialize(value),
                                                word.choices.substr(0, word.choices.size() - 1)));
    case WordKind::kNumber:
      return value.is_int64() && value.get_int64() >= 0 ? Status()
                                                        : Wrong(word.name, "not a whole number");
    case WordKind::kFlag:
      return value.is_bool() ? Status() : Wrong(word.name, "neither true nor false");
    case WordKind::kDuration: return CheckDuration(word.name, value, false);
    case WordKind::kAnyDuration: return CheckDuration(word.name, value, true);
    case WordKind::kTexts: return CheckTexts(word.name, value);
    case WordKind::kSteps: return CheckSteps(word.name, value);
    case WordKind::kObject: return value.is_object() ? Status() : Wrong(word.name, "not an object");
  }
  return {};
}

using Words = std::vector<ScenarioWord>;

// A step stands for at most so many calls.
constexpr std::int64_t kTimesMax = 10'000;

// What is done to the store from outside. `do` and `expect` are words of every step.
const std::map<std::string, Words, std::less<>>& Doings() {
  using enum WordKind;
  static const std::map<std::string, Words, std::less<>> kDoings = {
      {"advance_clock", {{"by", kDuration, true}}},
      {"step_wall_clock", {{"by", kAnyDuration, true}}},
      {"suspend_host", {{"for", kDuration, true}}},
      {"stall_store", {{"for", kDuration, true}}},
      {"observe_stale", {{"as", kText, true}, {"limit", kNumber}}},
      {"reopen",
       {{"how", kWord, true, "clean crash torn_tail corrupt_mid index_lost restore "},
        {"down_for", kDuration},
        {"from"},
        {"accept_clock", kFlag}}},
      {"backup", {{"as", kText, true}}},
      {"compact", {{"older_than", kDuration}}},
      {"sweep", {{"limit", kNumber}, {"dry_run", kFlag}}},
      {"batch",
       {{"commands", kSteps, true},
        {"atomic", kFlag},
        {"index", kNumber},
        {"ack", kWord, false, "lost torn "}}},
  };
  return kDoings;
}

std::string AllDoings() {
  std::string names = "check";
  for (const auto& [name, words] : Doings()) {
    names += ", " + name;
  }
  return names;
}

// Whether the step can be answered so.
bool CanAnswer(const std::string& what, const std::string& answer) {
  if (answer == "ok" || answer == "lost") {
    return true;
  }
  if (what == "reopen") {
    return answer == "corrupt" || answer == "invalid_argument";
  }
  if (what == "compact") {
    return answer == "corrupt";
  }
  if (what == "backup" || what == "sweep") {
    return answer == "read_only";
  }
  if (what == "batch") {
    return IsRefusalCode(answer);
  }
  constexpr std::string_view kOutcomes = "unchanged deferred alive dead unknown cancel_pending ";
  const bool outcome =
      answer.starts_with("ok:") && IsAmong(std::string_view(answer).substr(3), kOutcomes);
  return IsCommand(what) && (outcome || IsRefusalCode(answer));
}

Status CheckExpect(const json::object& step, const std::string& what) {
  const json::value* value = step.if_contains("expect");
  if (value == nullptr) {
    return Wrong("expect", "it is missing");
  }
  RETURN_IF_ERROR(CheckKind({"expect"}, *value));
  const std::string expected = TextOf(step, "expect");
  if ((expected == "lost") != (TextOf(step, "ack") == "torn")) {
    return Wrong("expect", "lost goes with ack torn, and with nothing else");
  }
  return CanAnswer(what, expected)
             ? Status()
             : Wrong("expect", fmt::format("{} never answers \"{}\"", what, expected));
}

// The commands that grant a token, and what else may be bound to a name.
constexpr std::string_view kGranting = "acquire dispatch claim_next claim_compensation ";

Status CheckReports(const json::value& reports) {
  for (const auto& report : reports.get_object()) {
    constexpr std::string_view kVerdicts = "alive dead unknown ";
    RETURN_IF_ERROR(CheckKind({report.key(), WordKind::kWord, false, kVerdicts}, report.value()));
  }
  return {};
}

// Words that only some commands take.
Status CheckSpecialWords(const json::object& step, const std::string& what) {
  if (step.contains("as") && !IsAmong(what, kGranting)) {
    return Wrong("as", fmt::format("{} grants no token", what));
  }
  if (step.contains("claim_as") && what != "claim_next") {
    return Wrong("claim_as", fmt::format("{} does not take it", what));
  }
  const std::string as = TextOf(step, "as");
  if (what == "claim_next" && (as == "acquire" || as == "dispatch")) {
    return Wrong("as", "it names the token; acquire or dispatch is said with claim_as");
  }
  const json::value* reports = step.if_contains("reports");
  if (reports != nullptr && what != "report_owners") {
    return Wrong("reports", fmt::format("{} does not take it", what));
  }
  return reports == nullptr ? Status() : CheckReports(*reports);
}

// How often the command is sent.
Status CheckTimes(const json::object& step) {
  const json::value* times = step.if_contains("times");
  if (times == nullptr) {
    return {};
  }
  if (times->get_int64() < 1 || times->get_int64() > kTimesMax) {
    return Wrong("times", fmt::format("from 1 to {}", kTimesMax));
  }
  for (const char* word : {"as", "ack"}) {
    if (step.contains(word)) {
      return Wrong(word, "it goes with one call, and times stands for many");
    }
  }
  return {};
}

Status CheckModifiers(const json::object& step, const std::string& what) {
  using enum WordKind;
  constexpr ScenarioWord kModifiers[] = {
      {"saga", kText},    {"as", kText},          {"ack", kWord, false, "lost torn "},
      {"request", kText}, {"caller_zone", kText}, {"claim_as", kWord, false, "acquire dispatch "},
      {"times", kNumber}, {"reports", kObject},
  };
  for (const ScenarioWord& word : kModifiers) {
    if (const json::value* value = step.if_contains(word.name)) {
      RETURN_IF_ERROR(CheckKind(word, *value));
    }
  }
  if (NamesSaga(what) != step.contains("saga")) {
    return Wrong("saga",
                 NamesSaga(what) ? "it is missing" : fmt::format("{} is not about one saga", what));
  }
  RETURN_IF_ERROR(CheckTimes(step));
  return CheckSpecialWords(step, what);
}

Status CheckCommand(const json::object& step, const std::string& what, ScenarioNames& names) {
  RETURN_IF_ERROR(CheckModifiers(step, what));
  if (what == "recover" && !names.observed.contains(TextOf(step, "observed"))) {
    return step.contains("observed")
               ? Wrong("observed", fmt::format("no observe_stale before is named \"{}\"",
                                               TextOf(step, "observed")))
               : Wrong("observed", "it is missing");
  }
  names.dead = TextOf(step, "ack") == "torn";
  return CommandOfStep(step, {}).status();
}

// Of an atomic batch that is refused no command has an answer of its own.
Status CheckBatchCommand(const json::object& command, bool answered, ScenarioNames& names) {
  const json::value* what = command.if_contains("do");
  if (what == nullptr) {
    return Wrong("do", "it is missing");
  }
  RETURN_IF_ERROR(CheckKind({"do"}, *what));
  const std::string name = TextOf(command, "do");
  if (!IsCommand(name)) {
    return Wrong("do", fmt::format("\"{}\" is no command of the store", name));
  }
  for (const char* word : {"ack", "times"}) {
    if (command.contains(word)) {
      return Wrong(word, "it is said of a whole batch, or of a command outside of one");
    }
  }
  if (answered) {
    RETURN_IF_ERROR(CheckExpect(command, name));
  } else if (command.contains("expect")) {
    return Wrong("expect", "the batch is not done, so its commands get no answer");
  }
  return CheckCommand(command, name, names);
}

Status CheckBatch(const json::object& step, ScenarioNames& names) {
  const std::string expected = TextOf(step, "expect");
  const bool done = expected == "ok";
  const json::value* atomic = step.if_contains("atomic");
  if (!done && (atomic == nullptr || !atomic->get_bool())) {
    return Wrong("expect",
                 fmt::format("\"{}\" stands for an atomic batch; the commands of another one are "
                             "answered each by itself, and the batch is ok",
                             expected));
  }
  if (step.contains("index") && (done || expected == "lost")) {
    return Wrong("index", "it is the command that an atomic batch is refused for");
  }
  for (std::size_t i = 0; const json::value& command : step.at("commands").get_array()) {
    if (const Status status = CheckBatchCommand(command.get_object(), done, names); !status.ok()) {
      return Wrong(fmt::format("commands[{}]", i), status.text());
    }
    ++i;
  }
  names.dead = TextOf(step, "ack") == "torn";
  return {};
}

Status CheckReopen(const json::object& step, ScenarioNames& names) {
  const bool restore = TextOf(step, "how") == "restore";
  if (restore != step.contains("from")) {
    return Wrong("from", restore ? "it is missing: which backup?" : "it goes with how restore");
  }
  if (restore && !names.backups.contains(TextOf(step, "from"))) {
    return Wrong("from", fmt::format("no backup before is named \"{}\"", TextOf(step, "from")));
  }
  if (restore && TextOf(step, "expect") != "ok") {
    return Wrong("expect", "a backup comes back, or the scenario does not hold");
  }
  names.dead = TextOf(step, "expect") == "invalid_argument";
  return {};
}

Status CheckDoing(const json::object& step, const std::string& what, ScenarioNames& names) {
  if (what == "check") {
    return CheckCheckWords(step);
  }
  Words words = Doings().find(what)->second;
  words.push_back({"do"});
  words.push_back({"expect"});
  RETURN_IF_ERROR(CheckWords(what, step, words));
  if (what == "reopen") {
    return CheckReopen(step, names);
  }
  if (what == "batch") {
    return CheckBatch(step, names);
  }
  if (what == "observe_stale") {
    names.observed.insert(TextOf(step, "as"));
  } else if (what == "backup") {
    names.backups.insert(TextOf(step, "as"));
  }
  return {};
}

}  // namespace

bool IsCommand(std::string_view what) {
  const auto& names = CommandNames();
  return std::find(names.begin(), names.end(), what) != names.end();
}

bool NamesSaga(std::string_view what) {
  return !IsAmong(what, "claim_next configure_queue change_policy report_owners ");
}

std::string TextOf(const json::object& step, std::string_view word, std::string_view absent) {
  const json::value* value = step.if_contains(word);
  return value != nullptr && value->is_string() ? std::string(value->get_string())
                                                : std::string(absent);
}

Status CheckWords(std::string_view what, const json::object& object,
                  std::span<const ScenarioWord> words) {
  for (const auto& member : object) {
    const auto word = std::find_if(words.begin(), words.end(), [&](const ScenarioWord& known) {
      return known.name == member.key();
    });
    if (word == words.end()) {
      return Wrong(member.key(), fmt::format("{} has no such word", what));
    }
    RETURN_IF_ERROR(CheckKind(*word, member.value()));
  }
  for (const ScenarioWord& word : words) {
    if (word.required && !object.contains(word.name)) {
      return Wrong(word.name, "it is missing");
    }
  }
  return {};
}

Status CheckStep(const json::object& step, ScenarioNames& names) {
  const json::value* value = step.if_contains("do");
  if (value == nullptr) {
    return Wrong("do", "it is missing");
  }
  RETURN_IF_ERROR(CheckKind({"do"}, *value));
  const std::string what = TextOf(step, "do");
  if (!IsCommand(what) && what != "check" && !Doings().contains(what)) {
    return Wrong("do", fmt::format("there is no \"{}\": it is a command of the store, or one of {}",
                                   what, AllDoings()));
  }
  RETURN_IF_ERROR(CheckExpect(step, what));
  constexpr std::string_view kWithoutStore = "reopen advance_clock step_wall_clock suspend_host ";
  if (names.dead && !IsAmong(what, kWithoutStore)) {
    return Wrong("do", fmt::format("{} while no store is open: it comes back with reopen", what));
  }
  return IsCommand(what) ? CheckCommand(step, what, names) : CheckDoing(step, what, names);
}

Status CheckSettings(const json::object& settings) {
  using enum WordKind;
  constexpr ScenarioWord kSettings[] = {
      {"queue_limit", kNumber}, {"max_recoveries", kNumber}, {"max_running", kDuration}};
  return CheckWords("settings", settings, kSettings);
}

}  // namespace sagalog::tools
