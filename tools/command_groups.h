// The commands of the program, a file for each group of them.
#pragma once

#include <CLI/CLI.hpp>

#include "tools/global_options.h"

namespace sagalog::tools {

// Each adds its subcommands to `app`. The options and the exit code must outlive the parsing; a
// command runs when the command line has been parsed, and sets the exit code.

// plan, cancel, quarantine, park, unpark, annotate.
void AddSagaCommands(CLI::App& app, const GlobalOptions& global, int& exit_code);
// dispatch, abort-dispatch, acquire, claim, heartbeat, release, stage, section, effect, exit,
// complete, fail, compensate.
void AddWorkerCommands(CLI::App& app, const GlobalOptions& global, int& exit_code);
// recover, report-owner, force-release, mark-compensated.
void AddRecoveryCommands(CLI::App& app, const GlobalOptions& global, int& exit_code);
// sweep.
void AddSweepCommand(CLI::App& app, const GlobalOptions& global, int& exit_code);
// compensation ls, register, claim, settle, run.
void AddCompensationCommands(CLI::App& app, const GlobalOptions& global, int& exit_code);
// ls, show, stale, sections, history.
void AddQueryCommands(CLI::App& app, const GlobalOptions& global, int& exit_code);
// sections.
void AddSectionsCommand(CLI::App& app, const GlobalOptions& global, int& exit_code);
// effect ls, below the command `effect`.
void AddEffectListCommand(CLI::App& effect, const GlobalOptions& global, int& exit_code);
// queue, policy, verify, rebuild.
void AddOperatorCommands(CLI::App& app, const GlobalOptions& global, int& exit_code);
// backup, restore, compact, redact.
void AddKeepingCommands(CLI::App& app, const GlobalOptions& global, int& exit_code);
// reader.
void AddReaderCommand(CLI::App& app, const GlobalOptions& global, int& exit_code);
// events.
void AddEventsCommand(CLI::App& app, const GlobalOptions& global, int& exit_code);
// status.
void AddStatusCommand(CLI::App& app, const GlobalOptions& global, int& exit_code);
// serve.
void AddServeCommand(CLI::App& app, const GlobalOptions& global, int& exit_code);
// token new.
void AddTokenCommand(CLI::App& app, const GlobalOptions& global, int& exit_code);
// doctor.
void AddDoctorCommand(CLI::App& app, const GlobalOptions& global, int& exit_code);
// incidents run, ls.
void AddIncidentsCommand(CLI::App& app, const GlobalOptions& global, int& exit_code);
// completion. Prints what `app` has, when it runs: it may be added before other commands.
void AddCompletionCommand(CLI::App& app);

// The headings under which --help lists them.
inline constexpr const char* kPlanningGroup = "Plan and steer sagas";
inline constexpr const char* kWorkerGroup = "Work on a saga";
inline constexpr const char* kLookingGroup = "Look";
inline constexpr const char* kRecoveryGroup = "Recover and clean up";
inline constexpr const char* kOperationGroup = "Operate";

}  // namespace sagalog::tools
