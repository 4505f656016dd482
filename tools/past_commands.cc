#include "tools/past_commands.h"

#include <memory>
#include <string>

#include <fmt/format.h>

#include "tools/command_groups.h"
#include "tools/exit_code.h"
#include "tools/past_diff.h"
#include "tools/past_record.h"
#include "tools/past_view.h"
#include "tools/replay.h"
#include "tools/store_client.h"
#include "tools/store_command.h"

namespace sagalog::tools {
namespace {

constexpr const char* kLookingBack =
    "The log is read where it lies, also while a daemon runs, and nothing is written to it. A time "
    "is RFC 3339 with a zone: all that had happened by then. A sequence is a place in the log: its "
    "event has happened.";

struct Arguments {
  std::string at, to, saga, record;
  bool live = false;
};

void AddRecordFlags(CLI::App& command, Arguments& arguments) {
  command.add_option("--saga", arguments.saga, "Only this saga")->type_name("ID");
  command
      .add_option("--record", arguments.record,
                  "A backup, or another store's directory, instead of the data directory")
      ->type_name("DIR");
}

// False, with the exit code set, when the text is no moment.
bool ReadMoment(const GlobalOptions& global, const char* command, const std::string& text,
                PastMoment& moment, int& exit_code) {
  const auto parsed = ParsePastMoment(text);
  if (!parsed.ok()) {
    PrintError(global, std::string(command) + ": " + parsed.status().text());
    exit_code = kExitUsage;
    return false;
  }
  moment = *parsed;
  return true;
}

Status ShowAt(const GlobalOptions& global, const Arguments& arguments, const PastMoment& moment) {
  ASSIGN_OR_RETURN(const PastRecord record, OpenPastRecord(global, arguments.record));
  ASSIGN_OR_RETURN(const PastPlace place, FindPlace(record, moment));
  WarnOfDamage(global, "at", record);
  return arguments.saga.empty() ? ShowPastStore(global, record, place, arguments.live)
                                : ShowPastSaga(global, record, place, arguments.saga);
}

Status ShowDiff(const GlobalOptions& global, const Arguments& arguments, const PastMoment& from,
                const PastMoment& to) {
  ASSIGN_OR_RETURN(const PastRecord record, OpenPastRecord(global, arguments.record));
  ASSIGN_OR_RETURN(const PastPlace begin, FindPlace(record, from));
  ASSIGN_OR_RETURN(const PastPlace end, FindPlace(record, to));
  WarnOfDamage(global, "diff", record);
  return ShowPastDiff(global, record, begin, end, arguments.saga);
}

void AddAtCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* at = AddDescribed(app, "at", "Show a saga, or everything, as it was",
                              "sagalog at 2026-11-21T03:18:00Z --saga T1");
  at->group(kLookingGroup);
  at->add_option("moment,--at", arguments->at, "When: a sequence or a time")
      ->required()
      ->type_name("SEQUENCE|TIME");
  AddRecordFlags(*at, *arguments);
  at->add_flag("--live", arguments->live,
               "Leave out sagas that had ended and owed no compensation");
  at->footer(at->get_footer() + "\n\n" + kLookingBack);
  at->callback([arguments, &global, &exit_code] {
    PastMoment moment;
    if (!ReadMoment(global, "at", arguments->at, moment, exit_code)) {
      return;
    }
    if (const Status shown = ShowAt(global, *arguments, moment); !shown.ok()) {
      exit_code = Complain(global, "at", shown);
    }
  });
}

void AddDiffCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* diff = AddDescribed(app, "diff", "Show what changed between two moments, by saga",
                                "sagalog diff 2026-11-21T03:00:00Z 2026-11-21T04:00:00Z");
  diff->group(kLookingGroup);
  diff->add_option("from,--from", arguments->at, "The earlier moment: a sequence or a time")
      ->required()
      ->type_name("SEQUENCE|TIME");
  diff->add_option("to,--to", arguments->to, "The later one")
      ->required()
      ->type_name("SEQUENCE|TIME");
  AddRecordFlags(*diff, *arguments);
  diff->footer(diff->get_footer() + "\n\n" + kLookingBack);
  diff->callback([arguments, &global, &exit_code] {
    PastMoment from;
    PastMoment to;
    if (!ReadMoment(global, "diff", arguments->at, from, exit_code) ||
        !ReadMoment(global, "diff", arguments->to, to, exit_code)) {
      return;
    }
    if (const Status shown = ShowDiff(global, *arguments, from, to); !shown.ok()) {
      exit_code = Complain(global, "diff", shown);
    }
  });
}

constexpr const char* kReplayText =
    R"(In a terminal it stops at each event; ? shows the keys. Else, and with --plain, every event
is a few lines; with --json a line {"event", "before", "after"} (NDJSON).

--where takes terms that all have to hold: type=leased,released owner!=w1 label=team=core
  type saga owner queue label actor   with = and !=; several values with commas, * for anything
  time sequence                       also with < <= > >=; a time as above
The owner is the saga's once the event has happened. A value with spaces goes into double quotes.

A damaged log is replayed up to the damage, which is named at the end (exit code 3).)";

void AddReplayCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  const auto options = std::make_shared<ReplayOptions>();
  const auto speed = std::make_shared<double>(0);
  CLI::App* replay = AddDescribed(app, "replay", "Step through the log, forwards and backwards",
                                  "sagalog replay --where 'saga=T1 type!=heartbeated'");
  replay->group(kLookingGroup);
  replay->add_option("--where", options->where, "Only events for which this holds")
      ->type_name("FILTER");
  replay->add_option("--saga", options->saga, "Only events of this saga")->type_name("ID");
  replay->add_option("--from", options->from, "Begin there")->type_name("SEQUENCE|TIME");
  replay->add_option("--until", options->until, "End there")->type_name("SEQUENCE|TIME");
  const auto* const paced =
      replay
          ->add_option("--speed", *speed,
                       "Let so many times the recorded time pass: 1 = as it was, 60 = an hour in a "
                       "minute")
          ->type_name("NUMBER");
  replay->add_flag("--backwards", options->backwards, "Lines from the last event to the first");
  replay->add_flag("--plain", options->plain, "Lines, also in a terminal");
  replay
      ->add_option("--record", options->record,
                   "A backup, or another store's directory, instead of the data directory")
      ->type_name("DIR");
  replay->footer(fmt::format("{}\n\n{}\n\n{}", replay->get_footer(), kLookingBack, kReplayText));
  replay->callback([options, speed, paced, &global, &exit_code] {
    if (paced->count() > 0) {
      options->speed = *speed;
    }
    exit_code = RunReplay(global, *options);
  });
}

}  // namespace

void AddPastCommands(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  AddAtCommand(app, global, exit_code);
  AddDiffCommand(app, global, exit_code);
  AddReplayCommand(app, global, exit_code);
}

}  // namespace sagalog::tools
