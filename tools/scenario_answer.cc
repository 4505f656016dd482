#include "tools/scenario_answer.h"

#include <utility>

#include <fmt/format.h>

namespace sagalog::tools {

ScenarioAnswer AnswerOf(const answers::RefusalT& refusal) {
  // With the facts that a person would ask for.
  std::string facts = refusal.detail;
  if (refusal.holder) {
    facts += fmt::format("; {} holds it", refusal.holder->owner);
  }
  return {schema::EnumNameRefusalCode(refusal.code), std::move(facts)};
}

ScenarioAnswer AnswerOf(const Reply& reply) {
  if (!reply.ok()) {
    return AnswerOf(reply.refusal());
  }
  const answers::AnswerT& answer = reply.answer();
  if (answer.replayed) {
    return {"ok:unchanged", "the answer to the same request before"};
  }
  if (answer.cancel_pending) {
    return {"ok:cancel_pending", ""};
  }
  return {answer.outcome == answers::Outcome::ok
              ? "ok"
              : fmt::format("ok:{}", answers::EnumNameOutcome(answer.outcome)),
          answer.token == 0 ? "" : fmt::format("token {}", answer.token)};
}

Result<ScenarioAnswer> AnswerOf(const Status& status) {
  switch (status.code()) {
    case Code::kOk: return ScenarioAnswer{"ok", ""};
    case Code::kReadOnly: return ScenarioAnswer{"read_only", status.text()};
    case Code::kCorruption: return ScenarioAnswer{"corrupt", status.text()};
    case Code::kInvalidArgument: return ScenarioAnswer{"invalid_argument", status.text()};
    default: return status;
  }
}

ScenarioAnswer Otherwise(std::string detail) { return {"otherwise", std::move(detail)}; }

}  // namespace sagalog::tools
