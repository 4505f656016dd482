#include "tools/answer_text.h"

#include <algorithm>
#include <array>
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
std::string FactInWords(std::string_view name, const json::value& value) {
  if (name == "holder") {
    return "holder " + Printable(OwnerInWords(value));
  }
  std::string text = Printable(InWords(value));
  if (name == "since" || name == "expires_at") {
    text = ToTheSecond(text);
  }
  std::string words(name);
  std::replace(words.begin(), words.end(), '_', ' ');
  return fmt::format("{} {}", words, text.empty() ? "\"\"" : text);
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
  static constexpr std::array<std::string_view, 7> kNotFacts = {
      "type", "title", "status", "detail", "instance", "code", "sequence"};
  std::string line(TextIn(problem, "code"));
  std::string_view words = TextIn(problem, "detail");
  if (words.empty()) {
    words = TextIn(problem, "title");
  }
  if (!words.empty() && words != line) {
    line += fmt::format("{}{}", line.empty() ? "" : ": ", Printable(words));
  }
  std::vector<std::string> facts;
  for (const auto& [name, value] : problem) {
    if (std::find(kNotFacts.begin(), kNotFacts.end(), std::string_view(name)) == kNotFacts.end()) {
      facts.push_back(FactInWords(name, value));
    }
  }
  return facts.empty() ? line : fmt::format("{} ({})", line, fmt::join(facts, ", "));
}

}  // namespace sagalog::tools
