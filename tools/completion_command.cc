// sagalog completion: scripts for shells.
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

}  // namespace

void AddCompletionCommand(CLI::App& app) {
  CLI::App* completion =
      AddDescribed(app, "completion", "Print a script that completes commands and flags in a shell",
                   kShells[0].example);
  completion->group(kOperationGroup)->require_subcommand(1);
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
