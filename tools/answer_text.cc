#include "tools/answer_text.h"

#include <algorithm>
#include <array>
#include <regex>
#include <vector>

#include <fmt/format.h>

#include "tools/json_fields.h"
#include "tools/moment.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

// What an answer's outcome means beside the state; "ok" needs no word.
std::string OutcomeInWords(std::string_view outcome) {
  if (outcome == "unchanged") {
    return "unchanged: it was so already";
  }
  if (outcome == "deferred") {
    return "recorded: applied when the section is left";
  }
  if (outcome == "alive" || outcome == "dead" || outcome == "unknown") {
    return fmt::format("holder {}", outcome);
  }
  return outcome == "ok" ? "" : std::string(outcome);
}

// Names of the effects that were begun and are not settled.
std::string EffectsInDoubt(const json::object& saga) {
  std::string names;
  for (const json::value& entry : ArrayIn(saga, "effects")) {
    const json::object& effect = AsObject(entry);
    if (!FlagIn(effect, "settled")) {
      names += names.empty() ? "" : ", ";
      names += Printable(TextIn(effect, "effect"));
    }
  }
  return names;
}

// The facts of the saga that a person wants to see after any command.
void AddSagaFacts(std::vector<std::string>& parts, const json::object& saga,
                  std::optional<StoreTime> now) {
  if (const auto stage = TextIn(saga, "stage"); !stage.empty()) {
    parts.push_back(fmt::format("stage {}", Printable(stage)));
  }
  const std::string_view state = TextIn(saga, "state");
  if (const auto expires = TextIn(saga, "expires_at");
      !expires.empty() && (state == "running" || state == "dispatched")) {
    parts.push_back("expires " + Moment(expires, now));
  }
  if (const auto status = TextIn(saga, "compensation_status");
      status == "owed" || status == "failed") {
    parts.push_back(fmt::format("compensations {}", status));
  }
}

// A fact of a refusal, in words; times to the second.
std::string FactAlone(std::string_view name, const json::value& value) {
  if (name == "holder") {
    return Printable(OwnerInWords(value));
  }
  const std::string text = Printable(InWords(value));
  return name == "since" || name == "expires_at" ? ToTheSecond(text) : text;
}

// The same with its name.
std::string FactInWords(std::string_view name, const json::value& value) {
  const std::string text = FactAlone(name, value);
  std::string words(name);
  std::replace(words.begin(), words.end(), '_', ' ');
  if (value.is_bool()) {
    return value.get_bool() ? words : "not " + words;
  }
  return fmt::format("{} {}", words, text.empty() ? "\"\"" : text);
}

// The words of a problem document, its times to the second like those of the facts.
std::string WordsOf(const json::object& problem) {
  const std::string_view detail = TextIn(problem, "detail");
  const std::string text(detail.empty() ? TextIn(problem, "title") : detail);
  static const std::regex kMicroseconds("(:[0-9]{2})[.][0-9]{6}Z");
  return Printable(std::regex_replace(text, kMicroseconds, "$1Z"));
}

// Whether `word` stands in `text`, and not as a part of another one.
bool SaysWord(std::string_view text, std::string_view word) {
  if (word.empty()) {
    return false;
  }
  const auto inside = [](char c) {
    return c == '_' || c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
  };
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !inside(text[at - 1])) && (end == text.size() || !inside(text[end]))) {
      return true;
    }
  }
  return false;
}

}  // namespace

Style StateStyle(std::string_view state) {
  if (state == "running" || state == "dispatched" || state == "compensating") {
    return Style::kBusy;
  }
  if (state == "completed" || state == "compensated") {
    return Style::kGood;
  }
  if (state == "failed" || state == "quarantined") {
    return Style::kBad;
  }
  return state == "cancelled" ? Style::kDim : Style::kPlain;
}

std::string AnswerLine(const json::object& answer, std::optional<StoreTime> now, bool color) {
  const json::object& saga = ObjectIn(answer, "saga");
  std::vector<std::string> parts;
  if (!saga.empty()) {
    const std::string_view state = TextIn(saga, "state");
    parts.push_back(Paint(Printable(TextIn(saga, "saga_id")), Style::kStrong, color));
    parts.push_back(Paint(state, StateStyle(state), color));
  }
  if (const std::string words = OutcomeInWords(TextIn(answer, "outcome")); !words.empty()) {
    parts.push_back(words);
  }
  if (const auto token = NumberIn(answer, "token"); token && *token != 0) {
    parts.push_back(fmt::format("token {}", *token));
  }
  AddSagaFacts(parts, saga, now);
  if (const json::object& section = ObjectIn(saga, "section"); !section.empty()) {
    parts.push_back(fmt::format("inside {}", Printable(TextIn(section, "name"))));
  }
  if (const std::string effects = EffectsInDoubt(saga); !effects.empty()) {
    parts.push_back(Paint("in doubt: " + effects, Style::kBad, color));
  }
  if (FlagIn(answer, "cancel_pending") || FlagIn(saga, "cancel_pending")) {
    parts.push_back(Paint("cancel pending", Style::kBad, color));
  }
  if (FlagIn(answer, "replayed")) {
    parts.push_back("(the answer given before to this request id)");
  }
  if (parts.empty()) {
    parts.push_back(fmt::format("done at sequence {}", NumberIn(answer, "sequence").value_or(0)));
  }
  return fmt::format("{}", fmt::join(parts, "  "));
}

std::string RefusalLine(const json::object& problem) {
  std::string line(TextIn(problem, "code"));
  const std::string words = WordsOf(problem);
  if (!words.empty() && words != line) {
    line += fmt::format("{}{}", line.empty() ? "" : ": ", words);
  }
  return line;
}

std::string RefusalFacts(const json::object& problem) {
  static constexpr std::array<std::string_view, 7> kNotFacts = {
      "type", "title", "status", "detail", "instance", "code", "sequence"};
  const std::string words = WordsOf(problem);
  std::vector<std::string> facts;
  for (const auto& [key, value] : problem) {
    const std::string_view name(key);
    const bool is_fact = std::find(kNotFacts.begin(), kNotFacts.end(), name) == kNotFacts.end();
    // A number may stand in the words by chance; a name or a time does not.
    const std::string text = FactAlone(name, value);
    const bool told = !value.is_number() && !value.is_bool() && SaysWord(words, text);
    if (is_fact && !told) {
      facts.push_back(FactInWords(name, value));
    }
  }
  return fmt::format("{}", fmt::join(facts, ", "));
}

}  // namespace sagalog::tools
