#include "tools/top_command.h"

#include <unistd.h>

#include <memory>
#include <string>

#include <fmt/format.h>

#include "schema/store_time.h"
#include "tools/argument_checks.h"
#include "tools/command_groups.h"
#include "tools/exit_code.h"
#include "tools/store_client.h"
#include "tools/store_command.h"
#include "tools/top_loop.h"

namespace sagalog::tools {
namespace {

constexpr std::chrono::milliseconds kIntervalMin{100};

struct TopArguments {
  std::string interval = "1s";
  std::uint64_t count = 0;
  bool once = false;
};

std::string CheckInterval(const std::string& text) {
  const auto duration = ParseDuration(text);
  return duration.ok() && *duration >= kIntervalMin && *duration <= std::chrono::hours(24)
             ? ""
             : fmt::format("\"{}\" is no interval: write 1s, 500ms or 5m, from 100ms to 24h", text);
}

int ShowTop(const GlobalOptions& global, const TopArguments& given) {
  TopOptions options;
  options.interval = *ParseDuration(given.interval);
  options.count = given.once ? 1 : given.count;
  if (options.count == 0 && !global.json && isatty(STDOUT_FILENO) == 0) {
    PrintError(global,
               "top: standard output is no terminal: --once prints one frame, --json a line for "
               "each. See sagalog top --help");
    return kExitUsage;
  }
  return TopLoop(global, options).Run();
}

}  // namespace

void AddTopCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  const auto given = std::make_shared<TopArguments>();
  CLI::App* top = AddDescribed(app, "top", "Watch the store: states, queues, stale sagas, rates",
                               "sagalog top --interval 5s");
  top->group(kLookingGroup);
  top->add_option("--interval", given->interval, "How often it looks (1s)")
      ->type_name("DURATION")
      ->check(CheckInterval);
  CLI::Option* count =
      AddNumber(*top, "--count", given->count, "End after so many frames", {.min = 1});
  count->type_name("N");
  top->add_flag("--once", given->once, "One frame, as text")->excludes(count);
  top->footer(top->get_footer() + R"(

Keys: q quits, p pauses and goes on, s sorts the stale sagas: those that somebody can act on first,
the longest waiting first, or by name. Rates are those since the frame before; commands are counted
by a daemon alone. With --json each frame is a line.)");
  top->callback([given, &global, &exit_code] { exit_code = ShowTop(global, *given); });
}

}  // namespace sagalog::tools
