// sagalog incidents run and ls: scenario files, played on throw-away stores.
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "tools/command_groups.h"
#include "tools/exit_code.h"
#include "tools/json_fields.h"
#include "tools/scenario.h"
#include "tools/scenario_player.h"
#include "tools/scenario_words.h"
#include "tools/store_client.h"
#include "tools/store_command.h"
#include "tools/table.h"
#include "tools/terminal.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

struct RunFlags {
  std::string file;
  std::vector<std::string> only;
  bool rebuild = false;
  bool disk = false;
  std::string keep;
};

// "acquire T owner=w1 ttl=30s as=f1": a step as one would say it.
std::string StepText(const json::object& step) {
  std::string text = TextOf(step, "do");
  if (step.contains("saga")) {
    text += " " + TextOf(step, "saga");
  }
  for (const auto& [name, value] : step) {
    if (name != "do" && name != "saga" && name != "expect") {
      text += fmt::format(" {}={}", std::string_view(name), InWords(value));
    }
  }
  return text;
}

json::object StepJson(const json::object& step, const PlayedStep& played, std::size_t number) {
  json::object row{{"step", number},          {"do", TextOf(step, "do")},
                   {"call", StepText(step)},  {"expect", TextOf(step, "expect")},
                   {"answer", played.answer}, {"holds", played.holds}};
  if (!played.detail.empty()) {
    row["detail"] = played.detail;
  }
  return row;
}

// Why a scenario does not hold.
std::string Failure(const Scenario& scenario, const PlayedScenario& played) {
  if (!played.settings_refused.empty()) {
    return fmt::format("its settings were refused: {}", played.settings_refused);
  }
  const PlayedStep& last = played.steps.back();
  return fmt::format("step {} does not hold: expected {}, got {}{}{}", played.steps.size(),
                     TextOf(scenario.steps[played.steps.size() - 1], "expect"), last.answer,
                     last.detail.empty() ? "" : ": ", last.detail);
}

json::object ScenarioJson(const Scenario& scenario, const PlayedScenario& played) {
  json::array steps;
  for (const PlayedStep& step : played.steps) {
    steps.push_back(StepJson(scenario.steps[steps.size()], step, steps.size() + 1));
  }
  json::object row{{"id", scenario.id}, {"title", scenario.title}, {"holds", played.holds()}};
  if (!played.holds()) {
    row["failure"] = Failure(scenario, played);
  }
  row["steps"] = std::move(steps);
  return row;
}

void Print(const Scenario& scenario, const PlayedScenario& played, bool color) {
  PrintLine(fmt::format("{}  {}", Paint(Printable(scenario.id), Style::kStrong, color),
                        Printable(scenario.title)));
  Table table({"STEP", "CALL", "ANSWER", "DETAIL"});
  for (std::size_t i = 0; i < played.steps.size(); ++i) {
    const PlayedStep& step = played.steps[i];
    table.Add({std::to_string(i + 1), StepText(scenario.steps[i]),
               Cell(step.answer, step.holds ? Style::kGood : Style::kBad),
               Cell(step.detail, Style::kDim)});
  }
  if (!table.empty()) {
    PrintLine(table.Render(ColumnsOf(STDOUT_FILENO), color));
  }
  if (!played.holds()) {
    PrintLine(Paint(Printable(Failure(scenario, played)), Style::kBad, color));
  }
  PrintLine("");
}

// How all of them went.
class Tally {
 public:
  void Add(const Scenario& scenario, const PlayedScenario& played) {
    ++played_;
    if (!played.holds()) {
      failed_.push_back(scenario.id);
    }
  }
  [[nodiscard]] bool AllHold() const { return failed_.empty(); }
  [[nodiscard]] json::object ToJson() const {
    json::array failed(failed_.begin(), failed_.end());
    return {{"played", played_}, {"hold", played_ - failed_.size()}, {"failed", std::move(failed)}};
  }
  [[nodiscard]] std::string ToText() const {
    if (AllHold()) {
      return played_ == 1 ? "it holds" : fmt::format("all {} hold", played_);
    }
    std::string text = fmt::format("{} of {} hold; not", played_ - failed_.size(), played_);
    for (const std::string& id : failed_) {
      text += " " + Printable(id);
    }
    return text;
  }

 private:
  std::size_t played_ = 0;
  std::vector<std::string> failed_;
};

// Those that --only names, in the order of the file; all when it names none.
Result<std::vector<Scenario>> Chosen(const RunFlags& flags) {
  ASSIGN_OR_RETURN(std::vector<Scenario> scenarios, LoadScenarios(flags.file));
  for (const std::string& id : flags.only) {
    if (std::none_of(scenarios.begin(), scenarios.end(),
                     [&](const Scenario& scenario) { return scenario.id == id; })) {
      return Status(Code::kInvalidArgument,
                    fmt::format("{}: there is no scenario \"{}\"", flags.file, id));
    }
  }
  std::erase_if(scenarios, [&](const Scenario& scenario) {
    return !flags.only.empty() &&
           std::find(flags.only.begin(), flags.only.end(), scenario.id) == flags.only.end();
  });
  return scenarios;
}

int Run(const GlobalOptions& global, const RunFlags& flags) {
  const auto scenarios = Chosen(flags);
  if (!scenarios.ok()) {
    PrintError(global, scenarios.status().text());
    return kExitUsage;
  }
  if (!flags.keep.empty() && scenarios->size() != 1) {
    PrintError(global, "incidents run: --keep takes one scenario: name it with --only");
    return kExitUsage;
  }
  PlayOptions options;
  options.keep = flags.keep;
  options.disk = flags.disk || !flags.keep.empty() ? PlayOptions::Disk::kDirectory
                                                   : PlayOptions::Disk::kMemory;
  options.rebuild =
      flags.rebuild ? PlayOptions::Rebuild::kBeforeEveryStep : PlayOptions::Rebuild::kNever;
  Tally tally;
  json::array rows;
  for (const Scenario& scenario : *scenarios) {
    const auto played = PlayScenario(scenario, options);
    if (!played.ok()) {
      PrintError(global, fmt::format("{}: {}", scenario.id, played.status().text()));
      return kExitUnavailable;
    }
    tally.Add(scenario, *played);
    if (global.json) {
      rows.push_back(ScenarioJson(scenario, *played));
    } else {
      Print(scenario, *played, global.color);
    }
  }
  if (global.json) {
    json::object document = tally.ToJson();
    document["scenarios"] = std::move(rows);
    PrintLine(json::serialize(document));
  } else {
    PrintLine(Paint(tally.ToText(), tally.AllHold() ? Style::kGood : Style::kBad, global.color));
  }
  return tally.AllHold() ? kExitDone : kExitRefused;
}

int List(const GlobalOptions& global, const std::string& file) {
  const auto scenarios = LoadScenarios(file);
  if (!scenarios.ok()) {
    PrintError(global, scenarios.status().text());
    return kExitUsage;
  }
  Table table({"ID", "CLASS", "STEPS", "TITLE"});
  json::array rows;
  for (const Scenario& scenario : *scenarios) {
    table.Add({Cell(scenario.id, Style::kStrong), scenario.kind,
               std::to_string(scenario.steps.size()), scenario.title});
    rows.push_back(json::object{{"id", scenario.id},
                                {"class", scenario.kind},
                                {"title", scenario.title},
                                {"steps", scenario.steps.size()}});
  }
  PrintLine(global.json ? json::serialize(json::object{{"items", std::move(rows)}})
                        : table.Render(ColumnsOf(STDOUT_FILENO), global.color));
  return kExitDone;
}

}  // namespace

void AddIncidentsCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  CLI::App* incidents =
      AddDescribed(app, "incidents", "Play incidents, told as calls with their expected answers",
                   "sagalog incidents run yesterday.json");
  incidents->group(kOperationGroup)->require_subcommand(1)->fallthrough();
  const auto flags = std::make_shared<RunFlags>();
  CLI::App* run = AddDescribed(
      *incidents, "run",
      "Play each scenario of a file on a store of its own and print every answer. 0: all hold; 1: "
      "one does not; 2: the file is wrong, nothing was played (docs/scenario-format.md)",
      "sagalog incidents run tests/incidents/incidents.json --only M001");
  run->add_option("file", flags->file, "The scenario file")->required()->type_name("FILE");
  run->add_option("--only", flags->only, "Only this one; repeatable")
      ->type_name("ID")
      ->allow_extra_args(false);
  run->add_flag("--rebuild", flags->rebuild,
                "Throw all projections away and fold them again before every step");
  run->add_flag("--disk", flags->disk,
                "On a real data directory in the temporary directory instead of in memory");
  run->add_option(
         "--keep", flags->keep,
         "Leave the data directory of the one scenario here, to look at with why, timeline "
         "and history; it must not exist. Means --disk")
      ->type_name("DIR");
  run->callback([flags, &global, &exit_code] { exit_code = Run(global, *flags); });
  const auto file = std::make_shared<std::string>();
  CLI::App* ls = AddDescribed(*incidents, "ls", "List the scenarios of a file",
                              "sagalog incidents ls tests/incidents/incidents.json");
  ls->add_option("file", *file, "The scenario file")->required()->type_name("FILE");
  ls->callback([file, &global, &exit_code] { exit_code = List(global, *file); });
}

}  // namespace sagalog::tools
