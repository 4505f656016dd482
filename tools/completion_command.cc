// sagalog completion: scripts for shells.
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "tools/command_groups.h"
#include "tools/completion.h"
#include "tools/store_client.h"
#include "tools/store_command.h"

namespace sagalog::tools {
namespace {

struct Shell {
  const char* name;
  const char* example;
  std::string (*script)(const std::vector<CompletionCommand>& commands);
};

constexpr Shell kShells[] = {
    {"bash", "eval \"$(sagalog completion bash)\"", BashCompletion},
    {"zsh", "eval \"$(sagalog completion zsh)\"", ZshCompletion},
    {"fish", "sagalog completion fish | source", FishCompletion},
};

std::string KnownShells() {
  std::string names;
  for (const Shell& shell : kShells) {
    names += fmt::format("{}{}", names.empty() ? "there is one for " : ", ", shell.name);
  }
  return names;
}

}  // namespace

void AddCompletionCommand(CLI::App& app) {
  CLI::App* completion =
      AddDescribed(app, "completion", "Print a script that completes commands and flags in a shell",
                   kShells[0].example);
  completion->group(kOperationGroup)->require_subcommand(0, 1);
  // Taken for what it is, so that the answer can name the others.
  const auto other = std::make_shared<std::string>();
  completion->add_option("shell", *other)->group("");
  completion->callback([completion, other] {
    if (completion->get_subcommands().empty()) {
      throw CLI::ValidationError(
          other->empty()
              ? fmt::format("which shell? {}", KnownShells())
              : fmt::format("\"{}\" is no shell that is known here: {}", *other, KnownShells()));
    }
  });
  for (const Shell& shell : kShells) {
    AddDescribed(*completion, shell.name, fmt::format("For {}", shell.name), shell.example)
        ->callback([&app, &shell] {
          std::string script = shell.script(CompletionsOf(app));
          script.pop_back();  // PrintLine ends the last line.
          PrintLine(script);
        });
  }
}

}  // namespace sagalog::tools
