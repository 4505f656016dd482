// What the decision table is asked: sagas in every situation that matters, and every command in
// every form that matters. Facts are names and values; the rows of the table are written in them.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/reactor/decided_history.h"

namespace sagalog {

using Facts = std::map<std::string, std::string, std::less<>>;

// One saga at one moment, and what is true of it.
struct Scene {
  std::string saga;
  Facts facts;
  DecidedHistory& history;
};

// One command in one form. `rows` names the rows that decide it.
struct Question {
  std::string rows;
  std::string command;
  std::string arguments;
  Facts facts;
};

void ForEachScene(const std::function<void(const Scene&)>& visitor);

// The facts of a question: proof (what it has to prove: none, live, late, last, dispatch), given
// (the token: mine, stale, spent), named (the owner beside it: no, same, other), version (right,
// wrong) and after (whether an ended saga takes it: no, yes, a state, or last = by its last owner);
// the others are the command's own.
[[nodiscard]] std::vector<Question> AllQuestions();

}  // namespace sagalog
