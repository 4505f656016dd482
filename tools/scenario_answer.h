// What came of a step, in the words that scenarios expect it in.
#pragma once

#include <string>

#include "reactor/store.h"
#include "schema/status.h"

namespace sagalog::tools {

struct ScenarioAnswer {
  // As `expect` would say it.
  std::string answer;
  // The same in more words, when there are more.
  std::string detail;
};

[[nodiscard]] ScenarioAnswer AnswerOf(const Reply& reply);
[[nodiscard]] ScenarioAnswer AnswerOf(const answers::RefusalT& refusal);

// Of what is no command: ok, read_only, corrupt or invalid_argument. What else went wrong is the
// machine's, and the error itself.
[[nodiscard]] Result<ScenarioAnswer> AnswerOf(const Status& status);

// What the step says is not so: no step expects this answer.
[[nodiscard]] ScenarioAnswer Otherwise(std::string detail);

}  // namespace sagalog::tools
