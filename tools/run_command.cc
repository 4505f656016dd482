#include "tools/run_command.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "tools/argument_checks.h"
#include "tools/command_groups.h"
#include "tools/exit_code.h"
#include "tools/help_formatter.h"
#include "tools/owner_identity.h"
#include "tools/server_url.h"
#include "tools/store_client.h"
#include "tools/worker_run.h"

namespace sagalog::tools {
namespace {

constexpr const char* kRunFooter = R"(
The command runs in a process group of its own, with SAGALOG_SAGA, SAGALOG_TOKEN and SAGALOG_DATA,
or SAGALOG_URL, in its environment; it may use the token for commands of its own. It is stopped
(TERM, then KILL) when the lease is lost or the saga is cancelled, and killed when sagalog run is
killed.

Exit codes: the command's own; 128+n when it was killed by signal n; 124 lease lost or cancelled;
125 sagalog run itself failed (a refused acquire included); 126 the command could not be run;
127 there is no such command.

Without a daemon (sagalog serve) the data directory is held as long as the command runs: others can
read it, and whatever writes exits with 3 after 5 s, commands of this very worker too. Run sagalog
serve for more than trying things out.)";

// The arguments behind the first "--", from the system: CLI11 takes the brackets off an argument
// like "[abc]". None when there is no "--".
std::optional<std::vector<std::string>> ArgumentsAfterDashes() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  std::vector<std::string> arguments;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\0', at), text.size());
    arguments.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
  if (dashes == arguments.end()) {
    return std::nullopt;
  }
  return std::vector<std::string>(dashes + 1, arguments.end());
}

// What was typed, before it is made sense of.
struct RunArguments {
  std::string saga;
  std::string owner;
  std::string ttl;
  std::uint64_t dispatch_token = 0;
  std::string kill_after = "10s";
  std::string no_compensation_reason = "the command failed and registered nothing to undo";
  std::vector<std::string> command;
};

std::string CheckDuration(const std::string& text) {
  const auto duration = ParseDuration(text);
  if (!duration.ok()) {
    return duration.status().text();
  }
  return *duration < Duration::zero() ? "a duration that is not negative is needed" : "";
}

WorkerOptions Understand(const RunArguments& given, const std::filesystem::path& data) {
  WorkerOptions options;
  options.saga_id = given.saga;
  options.owner = given.owner.empty() ? DefaultOwnerName() : given.owner;
  if (!given.ttl.empty()) {
    options.ttl = *ParseDuration(given.ttl);
  }
  if (given.dispatch_token != 0) {
    options.dispatch_token = given.dispatch_token;
  }
  options.kill_after = *ParseDuration(given.kill_after);
  options.no_compensation_reason = given.no_compensation_reason;
  options.command = ArgumentsAfterDashes().value_or(given.command);
  std::error_code error;
  const auto absolute = IsServerUrl(data) ? data : std::filesystem::absolute(data, error);
  options.data = error ? data.string() : absolute.string();
  return options;
}

// What makes it no command line for a worker, or nothing.
std::string FaultOf(const RunArguments& given, const GlobalOptions& global) {
  const auto command = ArgumentsAfterDashes();
  const bool taken_for_saga =
      command && given.command.size() + 1 == command->size() && given.saga == command->front();
  if (given.saga.empty() || taken_for_saga) {
    return "which saga? It stands before --, or behind --saga: sagalog run --saga ID -- COMMAND";
  }
  if (command ? command->empty() : given.command.empty()) {
    return "which command? It stands behind --: sagalog run --saga ID -- COMMAND";
  }
  return global.json ? "--json: the output is the command's own" : "";
}

// How long one answer is waited for. What comes later than the lease is over is of no use, and a
// daemon that hangs must not keep a worker that has ended.
std::chrono::milliseconds PatienceOf(const RunArguments& given) {
  constexpr std::chrono::seconds kLeast{2};
  constexpr std::chrono::seconds kMost{10};
  const Duration ttl = given.ttl.empty() ? Duration(kMost) : *ParseDuration(given.ttl);
  return std::chrono::duration_cast<std::chrono::milliseconds>(
      std::clamp<Duration>(ttl, kLeast, kMost));
}

int RunWorker(const RunArguments& given, const GlobalOptions& global) {
  // Before anything else: the threads of a store opened here must not take the signals.
  SignalInbox inbox({SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2});
  ConnectionOptions where = global.Connect();
  where.session = true;
  where.patience = PatienceOf(given);
  if (LacksStore(where.data)) {
    PrintError(global, fmt::format("there is no data directory {}", where.data.string()));
    return kExitOwnFailure;
  }
  auto connection = Connection::Open(where);
  if (!connection.ok()) {
    PrintError(global, connection.status().text());
    return kExitOwnFailure;
  }
  return WorkerRun(**connection, inbox, Understand(given, where.data)).Run();
}

}  // namespace

void AddRunCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  CLI::App* run = app.add_subcommand("run", "Run a command as the worker of a saga");
  auto given = std::make_shared<RunArguments>();
  const CLI::Validator duration(CheckDuration, "DURATION");
  run->add_option("saga,--saga", given->saga, std::string("The saga to acquire") + kRequiredMark)
      ->type_name("ID");
  run->add_option("--owner", given->owner, "The worker's name (user@host)")->type_name("NAME");
  run->add_option("--ttl", given->ttl,
                  "How long the lease lasts without a heartbeat (the policy's)")
      ->check(duration)
      ->option_text("DURATION");
  AddNumber(*run, "--dispatch-token", given->dispatch_token,
            "The token of the dispatch that this worker takes up")
      ->type_name("N");
  run->add_option("--kill-after", given->kill_after, "From TERM to KILL when it has to stop (10s)")
      ->check(duration)
      ->option_text("DURATION");
  run->add_option("--no-compensation-reason", given->no_compensation_reason,
                  "Why nothing has to be undone, should it fail with nothing registered")
      ->type_name("REASON");
  run->add_option("command", given->command,
                  std::string("The command and its arguments, behind --") + kRequiredMark)
      ->type_name("-- COMMAND...");
  run->group(kWorkerGroup)->footer(kRunFooter);
  run->callback([given, &global, &exit_code] {
    if (const std::string fault = FaultOf(*given, global); !fault.empty()) {
      PrintError(global, fmt::format("run: {}. See sagalog run --help", fault));
      exit_code = kExitUsage;
      return;
    }
    exit_code = RunWorker(*given, global);
  });
}

}  // namespace sagalog::tools
