// The program: its flags, its help, and what it says to a command line that is wrong.
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "schema/store_time.h"
#include "tools/answer_patience.h"
#include "tools/argument_checks.h"
#include "tools/audit_command.h"
#include "tools/audit_export_command.h"
#include "tools/bench_command.h"
#include "tools/command_groups.h"
#include "tools/exit_code.h"
#include "tools/global_options.h"
#include "tools/help_formatter.h"
#include "tools/past_commands.h"
#include "tools/run_command.h"
#include "tools/server_url.h"
#include "tools/standard_streams.h"
#include "tools/store_client.h"
#include "tools/story_commands.h"
#include "tools/terminal.h"
#include "tools/top_command.h"

namespace sagalog::tools {
namespace {

constexpr const char* kDescription =
    "sagalog: who planned a task, who owns it now and until when, and what is to be cleaned up "
    "when "
    "it dies.\nEach command talks to the daemon of the data directory when one runs, else opens "
    "the directory itself.";

constexpr const char* kFooter = R"(
A first round:
  sagalog plan T1 --key acme/app#168          a task that somebody shall work on
  sagalog acquire T1 --owner w1 --ttl 30s     take it: prints the token
  sagalog heartbeat T1 --token 3              still at it
  sagalog complete T1 --token 3               done
  sagalog history T1                          how it went

Exit codes:
  0  done
  1  refused by the store: the code and its facts are on standard error
  2  the command line is wrong: nothing was sent
  3  the store cannot be reached, is damaged or takes no appends: sagalog doctor explains)";

// A place as it is called from any folder: a file's, or that of a socket in a URL.
std::string Absolute(const std::string& value, bool is_file) {
  constexpr std::string_view kSocket = "unix:";
  const bool is_socket = !is_file && value.starts_with(kSocket) && value.size() > kSocket.size();
  if (!is_file && !is_socket) {
    return value;
  }
  std::error_code error;
  const std::string path = is_socket ? value.substr(kSocket.size()) : value;
  const auto absolute = std::filesystem::absolute(path, error);
  return (is_socket ? std::string(kSocket) : "") + (error ? path : absolute.string());
}

// A flag whose value goes where the commands look for it: tools/server_url.h, answer_patience.h.
CLI::Option* AddServerFlag(CLI::App& app, const std::string& flag, const std::string& type_name,
                           const char* variable, const std::string& help) {
  return app
      .add_option_function<std::string>(
          flag,
          [variable, is_file = type_name == "FILE"](const std::string& value) {
            setenv(variable, Absolute(value, is_file).c_str(), 1);
          },
          help)
      ->type_name(type_name);
}

// Shorter, and a busy daemon would be taken for a dead one; longer is no limit.
std::string WhyNoTimeout(const std::string& text) {
  const auto timeout = ParseDuration(text);
  if (!timeout.ok()) {
    return timeout.status().text();
  }
  const bool good = *timeout >= std::chrono::milliseconds(100) && *timeout <= std::chrono::days(1);
  return good ? "" : fmt::format("\"{}\" is not from 100ms to 1d", text);
}

void AddGlobalFlags(CLI::App& app, GlobalOptions& global) {
  app.add_option("--data", global.data, "The data directory, else $SAGALOG_DATA, else ./.sagalog")
      ->type_name("DIR");
  CLI::Option* data = app.get_option("--data");
  AddServerFlag(app, "--url", "URL", kUrlVariable,
                "A daemon elsewhere: http://HOST:PORT, https://HOST:PORT or unix:PATH, else "
                "$SAGALOG_URL")
      ->excludes(data)
      ->check([](const std::string& value) {
        const auto address = ParseHttpAddress(value);
        return address.ok() ? std::string() : std::string(address.status().text());
      });
  AddServerFlag(app, "--bearer-token-file", "FILE", kTokenFileVariable,
                "The access token for it, else $SAGALOG_BEARER_TOKEN_FILE or "
                "$SAGALOG_BEARER_TOKEN");
  AddServerFlag(app, "--ca", "FILE", kCaVariable,
                "Who signs its certificate, PEM, else $SAGALOG_CA or the machine's");
  AddServerFlag(app, "--timeout", "DURATION", kTimeoutVariable,
                "How long a daemon may take for one answer (30s), else $SAGALOG_TIMEOUT")
      ->check(WhyNoTimeout);
  app.add_flag("--json", global.json, "The raw answer on standard output, for programs");
  app.add_flag("--accept-clock", global.accept_clock,
               "Open although the wall clock is more than 7 days ahead of the last event");
  app.set_version_flag("--version", std::string("sagalog ") + SAGALOG_VERSION);
}

void AddCommands(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  AddSagaCommands(app, global, exit_code);
  AddWorkerCommands(app, global, exit_code);
  AddRunCommand(app, global, exit_code);
  CLI::App* run = app.get_subcommand("run")->group(kWorkerGroup);
  run->footer("Example:\n  sagalog run --saga T1 -- sh -c 'sleep 5; echo done'\n" +
              run->get_footer());
  AddQueryCommands(app, global, exit_code);
  AddWhyCommand(app, global, exit_code);
  AddTimelineCommand(app, global, exit_code);
  AddEventsCommand(app, global, exit_code);
  AddPastCommands(app, global, exit_code);
  AddStatusCommand(app, global, exit_code);
  AddTopCommand(app, global, exit_code);
  AddRecoveryCommands(app, global, exit_code);
  AddSweepCommand(app, global, exit_code);
  AddCompensationCommands(app, global, exit_code);
  AddServeCommand(app, global, exit_code);
  AddTokenCommand(app, global, exit_code);
  AddOperatorCommands(app, global, exit_code);
  AddKeepingCommands(app, global, exit_code);
  AddAuditCommands(app, global, exit_code);
  AddReaderCommand(app, global, exit_code);
  AddDoctorCommand(app, global, exit_code);
  AddAuditExportCommand(app, global, exit_code);
  AddIncidentsCommand(app, global, exit_code);
  AddCompletionCommand(app);
  AddBenchCommand(app, global, exit_code);
  app.get_subcommand("bench")->group(kOperationGroup);
}

// CLI11 reads "--stage=" as if the value were the next argument: the two are told apart here.
// What stands behind "--" belongs to another program.
std::vector<std::string> Arguments(int argc, char** argv) {
  std::vector<std::string> arguments;
  bool ours = true;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    ours = ours && argument != "--";
    if (ours && argument.starts_with("--") && argument.find('=') + 1 == argument.size()) {
      arguments.push_back(argument.substr(0, argument.size() - 1));
      arguments.emplace_back();
    } else {
      arguments.push_back(argument);
    }
  }
  return arguments;
}

// "sagalog help", "sagalog help plan": the same as --help. A saga may be called help.
void TurnHelpAround(std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--data" || arguments[i] == "--url" ||
        arguments[i] == "--bearer-token-file" || arguments[i] == "--ca" ||
        arguments[i] == "--timeout") {
      ++i;
    } else if (!arguments[i].starts_with('-')) {
      if (arguments[i] == "help") {
        arguments.erase(arguments.begin() + static_cast<std::ptrdiff_t>(i));
        arguments.emplace_back("--help");
      }
      return;
    }
  }
}

// The subcommand that was being parsed, the innermost.
const CLI::App& Innermost(const CLI::App& app) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
  }
  return *at;
}

// The same in words: "compensation ls".
std::string ChosenCommand(const CLI::App& app) {
  std::string name;
  for (const CLI::App* at = &app; !at->get_subcommands().empty();) {
    at = at->get_subcommands().front();
    name += (name.empty() ? "" : " ") + at->get_name();
  }
  return name;
}

// What is missing, named as the usage names it.
std::string Missing(const CLI::App& command, const std::string& text) {
  const std::string name = text.substr(0, text.find(' '));
  const CLI::Option* option = name.starts_with("--") ? command.get_option_no_throw(name) : nullptr;
  return option != nullptr && option->get_positional()
             ? fmt::format("{} is required: it stands by its position, or behind {}",
                           option->get_name(true), name)
             : text;
}

// What was wrong, when no command was chosen.
std::string NoCommand(const CLI::App& app, const std::string& error) {
  const std::vector<std::string> left = app.remaining();
  if (left.empty()) {
    return error;
  }
  if (left.front().starts_with('-')) {
    return fmt::format("there is no flag {}", left.front());
  }
  const std::string close = ClosestCommand(app, left.front());
  return fmt::format("there is no command \"{}\"{}", left.front(),
                     close.empty() ? "" : fmt::format(" (did you mean {}?)", close));
}

// What CLI11 found wrong, in words for people.
std::string ErrorInWords(const CLI::App& app, const CLI::ParseError& error) {
  const std::string text = error.what();
  const std::string name = text.substr(0, text.find_first_of(": "));
  if (text == "A subcommand is required") {
    return "which command?";
  }
  if (error.get_name() == "ArgumentMismatch") {
    return text.find("At Most") != std::string::npos ||
                   text.find("but received") != std::string::npos
               ? fmt::format("{} is given more than once", name)
               : fmt::format("{} needs a value", name);
  }
  if (error.get_name() == "ConversionError") {
    const std::size_t equals = text.rfind(" = ");
    const std::size_t flag = text.find("--");
    if (equals != std::string::npos && flag < equals) {
      return fmt::format("{}: \"{}\" is not a number", text.substr(flag, equals - flag),
                         text.substr(equals + 3));
    }
  }
  if (error.get_name() == "RequiredError" && name == "--saga") {
    return "which saga? It stands first, or behind --saga";
  }
  if (error.get_name() == "RequiredError") {
    return Missing(Innermost(app), text);
  }
  if (error.get_name() == "ExtrasError") {
    const std::size_t colon = text.find(": ");
    const std::string extra = colon == std::string::npos ? text : text.substr(colon + 2);
    return extra.starts_with('-') ? fmt::format("there is no flag {}", extra)
                                  : fmt::format("there is no place for {}", extra);
  }
  return text;
}

int SayUsageError(const CLI::App& app, const GlobalOptions& global, const CLI::ParseError& error) {
  const std::string chosen = ChosenCommand(app);
  std::string text = ErrorInWords(app, error);
  if (chosen.empty()) {
    text = NoCommand(app, text);
  }
  PrintError(global, fmt::format("{}{}{} See sagalog {}--help", chosen, chosen.empty() ? "" : ": ",
                                 text + (text.ends_with('?') ? "" : "."),
                                 chosen.empty() ? "" : chosen + " "));
  return kExitUsage;
}

// Whoever starts the program may have closed them. A file of the store that is opened later must
// not get one of these numbers, or what is printed would be written into it.
void HoldStandardDescriptors() {
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
    if (fcntl(descriptor, F_GETFD) == -1 && errno == EBADF &&
        open("/dev/null", O_RDWR) != descriptor) {
      _exit(kExitUnavailable);
    }
  }
}

int Main(int argc, char** argv) {
  GlobalOptions global;
  global.color = WantsColor(STDOUT_FILENO);
  global.error_color = WantsColor(STDERR_FILENO);
  int exit_code = kExitDone;
  CLI::App app(kDescription, "sagalog");
  app.formatter(std::make_shared<HelpFormatter>());
  app.footer(kFooter);
  app.require_subcommand(1);
  app.fallthrough();
  AddGlobalFlags(app, global);
  AddCommands(app, global, exit_code);
  for (CLI::App* command : app.get_subcommands({})) {
    command->fallthrough();
    for (CLI::App* inner : command->get_subcommands({})) {
      inner->fallthrough()->group("Commands");
    }
  }
  RefuseEmptyArguments(app);
  std::vector<std::string> arguments = Arguments(argc, argv);
  TurnHelpAround(arguments);
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
      app.exit(error);  // prints the help or the version that was asked for
    } else {
      exit_code = SayUsageError(app, global, error);
    }
  }
  if (const std::string failure = OutputFailure(); !failure.empty()) {
    PrintError(global, fmt::format("cannot write to standard output: {}", failure));
    exit_code = exit_code == kExitDone ? kExitUnavailable : exit_code;
  }
  return exit_code;
}

}  // namespace
}  // namespace sagalog::tools

int main(int argc, char** argv) {
  sagalog::tools::HoldStandardDescriptors();
  return sagalog::tools::Main(argc, argv);
}
