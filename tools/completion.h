// Completion for shells, made of the program's own commands and flags: there is no second list.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace sagalog::tools {

struct CompletionFlag {
  std::vector<std::string> names;  // with their dashes
  std::string help;
  bool takes_value = false;
  // What the value may be, where there is a list.
  std::vector<std::string> choices;
  // Whether the value is a path.
  bool path = false;
};

struct CompletionCommand {
  std::string name;  // "compensation ls"; empty = the program itself
  std::string help;
  std::vector<std::string> commands;  // the words that may follow
  std::vector<CompletionFlag> flags;  // its own, and those of every command
};

// The program and all its commands, the outer before the inner.
[[nodiscard]] std::vector<CompletionCommand> CompletionsOf(const CLI::App& program);

// Scripts to be read by the shell.
[[nodiscard]] std::string BashCompletion(const std::vector<CompletionCommand>& commands);
[[nodiscard]] std::string ZshCompletion(const std::vector<CompletionCommand>& commands);
[[nodiscard]] std::string FishCompletion(const std::vector<CompletionCommand>& commands);

}  // namespace sagalog::tools
