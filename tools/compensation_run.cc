#include "tools/compensation_run.h"

#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "tools/argument_checks.h"
#include "tools/command_words.h"
#include "tools/compensation_run_loop.h"
#include "tools/exit_code.h"
#include "tools/owner_identity.h"
#include "tools/server_url.h"
#include "tools/store_client.h"

namespace sagalog::tools {
namespace {

constexpr const char* kCompensationRunFooter = R"(
Kinds, with what their params say:
  remove-worktree       target: path; repository: path (optional: the worktree knows it)
  delete-branch         target: branch; repository: path
  delete-remote-branch  target: branch; repository: path; remote: name of a configured remote
  close-pr              by --close-pr-command, with the target as its last argument
  command               by --allow-command; command: program and arguments
  Both start in directory, else repository, else --root, and find what they are about in
  SAGALOG_SAGA, SAGALOG_COMPENSATION, SAGALOG_TARGET and SAGALOG_PARAM_NAME.

Never touched: what is outside of --root, links followed; a branch that is checked out, a default or
a protected branch; the main or a locked worktree. Without --discard also: a worktree with changes
that are in no commit, and branches whose commits nothing else leads to.

A target that is gone already is done. What is refused is not claimed and stays owed; what fails
stays owed, and so does what comes after it in its saga.

Exit codes: 0 all done, or waiting or for others; 1 something failed or was refused; 3 no store.

Example:
  sagalog compensation run --root /srv/worktrees --dry-run)";

// What was typed, before it is made sense of.
struct RunArguments {
  std::string root;
  std::string saga;
  std::string executor;
  std::string ttl = "5m";
  std::string close_pr_command;
  std::vector<std::string> protect;
  std::uint64_t limit = 0;
  bool dry_run = false;
  bool discard = false;
  bool allow_command = false;
};

int Usage(const GlobalOptions& global, const std::string& text) {
  PrintError(global, text);
  return kExitUsage;
}

CompensationRunOptions Understand(const RunArguments& given, const GlobalOptions& global) {
  CompensationRunOptions options;
  options.saga_id = given.saga;
  options.executor = given.executor.empty() ? DefaultOwnerName() : given.executor;
  options.ttl = *ParseDuration(given.ttl);
  options.dry_run = given.dry_run;
  if (given.limit != 0) {
    options.limit = given.limit;
  }
  options.json = global.json;
  options.color = global.color;
  return options;
}

int RunCompensations(const RunArguments& given, const GlobalOptions& global) {
  // Before a store opened here has threads that would take the signals.
  SignalInbox inbox({SIGTERM, SIGINT, SIGHUP});
  auto border = RootBorder::At(given.root);
  if (!border.ok()) {
    return Usage(global, fmt::format("--root: {}", border.status().text()));
  }
  CompensationPermissions permissions{
      *std::move(border), given.discard, given.protect, {}, given.allow_command};
  if (!given.close_pr_command.empty()) {
    auto words = SplitWords(given.close_pr_command);
    if (!words.ok()) {
      return Usage(global, fmt::format("--close-pr-command: {}", words.status().text()));
    }
    permissions.close_pr_command = *std::move(words);
  }
  const ConnectionOptions where = global.Connect(given.dry_run);
  if (LacksStore(where.data)) {
    PrintError(global, fmt::format("there is no data directory {}", where.data.string()));
    return kExitUnavailable;
  }
  auto connection = Connection::Open(where);
  if (!connection.ok()) {
    PrintError(global, connection.status().text());
    return kExitUnavailable;
  }
  const CompensationRunOptions options = Understand(given, global);
  return CompensationRun(**connection, inbox, permissions, options).Run();
}

std::string CheckTtl(const std::string& text) {
  const auto duration = ParseDuration(text);
  if (!duration.ok()) {
    return duration.status().text();
  }
  return *duration < std::chrono::seconds(2) ? "a claim must last 2s at least" : "";
}

}  // namespace

void AddCompensationRunCommand(CLI::App& compensation, const GlobalOptions& global,
                               int& exit_code) {
  CLI::App* run = compensation.add_subcommand("run", "Carry out what is owed, in one folder");
  auto given = std::make_shared<RunArguments>();
  run->add_option("--root", given->root, "Nothing outside of it is touched")
      ->required()
      ->type_name("DIR");
  run->add_option("--saga", given->saga, "Only of this saga")->type_name("ID");
  run->add_option("--executor", given->executor, "Who claims (user@host)")->type_name("NAME");
  run->add_option("--ttl", given->ttl, "How long a claim lasts and an action may take (5m)")
      ->check(CLI::Validator(CheckTtl, "DURATION"));
  AddNumber(*run, "--limit", given->limit, "Claim no more than this many", {.min = 1})
      ->type_name("N");
  run->add_option("--protect", given->protect, "A branch, or a pattern of them, never deleted")
      ->allow_extra_args(false)
      ->type_name("BRANCH");
  run->add_option("--close-pr-command", given->close_pr_command,
                  "Closes a pull request, given as its last argument: no shell")
      ->type_name("COMMAND");
  run->add_flag("--allow-command", given->allow_command,
                "Run the commands that sagas registered, without a shell");
  run->add_flag("--discard", given->discard, "Throw away uncommitted changes and commits");
  run->add_flag("--dry-run", given->dry_run, "Only say what would be done");
  run->footer(kCompensationRunFooter);
  run->callback([given, &global, &exit_code] { exit_code = RunCompensations(*given, global); });
}

}  // namespace sagalog::tools
