// The words of a scenario's step: which there are, and what kind of value each takes.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "schema/status.h"

namespace sagalog::tools {

// What the steps before gave names to.
struct ScenarioNames {
  std::set<std::string> observed;
  std::set<std::string> backups;
  // No store is open until the next reopen: an append was torn, or the last one was refused.
  bool dead = false;
};

// kInvalidArgument, naming the word, unless the step may stand behind those that gave `names`; its
// own are then added.
Status CheckStep(const boost::json::object& step, ScenarioNames& names);

// The same for a scenario's settings.
Status CheckSettings(const boost::json::object& settings);

// Whether the step is a command of the store, by its word `do`.
[[nodiscard]] bool IsCommand(std::string_view what);
// Whether the command is about the saga that the step names.
[[nodiscard]] bool NamesSaga(std::string_view what);

// A member that the checks above have found to be a text; `absent` when there is none.
[[nodiscard]] std::string TextOf(const boost::json::object& step, std::string_view word,
                                 std::string_view absent = "");

// What a value must be.
enum class WordKind {
  kText,
  kWord,
  kNumber,
  kFlag,
  kDuration,
  kAnyDuration,
  kTexts,
  kObject,
  kSteps
};

struct ScenarioWord {
  std::string_view name;
  WordKind kind = WordKind::kText;
  bool required = false;
  // Of a kWord: those there are, with a space behind each.
  std::string_view choices = {};
};

// kInvalidArgument, naming the first word that is unknown, of another kind or missing. `what` is
// the thing whose words these are: "check".
Status CheckWords(std::string_view what, const boost::json::object& object,
                  std::span<const ScenarioWord> words);

}  // namespace sagalog::tools
