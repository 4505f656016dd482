#include "tests/reactor/rules_script.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace sagalog {
namespace {

std::string_view TakeWord(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

std::string PlayLine(RulesStore& store, std::string_view line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const std::string_view command = TakeWord(line);
  const std::string_view saga = TakeWord(line);
  if (command == "advance") {
    store.Advance(saga);
    return "ok";
  }
  if (command == "crash") {
    store.Crash(saga);
    return "ok";
  }
  return store.Run(command, saga == "-" ? "" : saga, line.empty() ? "{}" : line);
}

std::string Moment(std::int64_t micros) {
  const Duration since = TimeFromMicros(micros) - *ParseTime("2026-01-01T00:00:00Z");
  return FormatDuration(since);
}

}  // namespace

std::string Play(RulesStore& store, std::string_view script) {
  std::string answer;
  while (!script.empty()) {
    const std::size_t end = std::min(script.find('\n'), script.size());
    const std::string_view line = script.substr(0, end);
    script.remove_prefix(std::min(end + 1, script.size()));
    if (line.find_first_not_of(' ') == std::string_view::npos) {
      continue;
    }
    EXPECT_TRUE(answer.empty() || answer.starts_with("ok")) << answer << " before " << line;
    answer = PlayLine(store, line);
  }
  return answer;
}

std::string FactsOf(const answers::RefusalT& refusal) {
  std::string facts = "saga=" + refusal.saga_id;
  const auto add = [&facts](std::string_view name, const auto& value) {
    facts += fmt::format(" {}={}", name, value);
  };
  if (refusal.actual_state) {
    add("state", schema::EnumNameState(*refusal.actual_state));
  }
  if (refusal.actual_version) {
    add("version", *refusal.actual_version);
  }
  if (refusal.holder) {
    add("holder", refusal.holder->owner);
  }
  if (refusal.since != 0) {
    add("since", Moment(refusal.since));
  }
  if (refusal.expires_at != 0) {
    add("expires", Moment(refusal.expires_at));
  }
  if (!refusal.actual_stage.empty()) {
    add("stage", refusal.actual_stage);
  }
  if (refusal.limit) {
    add("limit", *refusal.limit);
  }
  if (refusal.actual) {
    add("actual", *refusal.actual);
  }
  if (!refusal.subject.empty()) {
    add("subject", refusal.subject);
  }
  if (!refusal.result.empty()) {
    add("result", refusal.result);
  }
  if (refusal.actual_sequence != 0) {
    add("sequence", refusal.actual_sequence);
  }
  return facts;
}

}  // namespace sagalog
