// What becomes of sagas whose owner is gone.
#include "tools/command_groups.h"
#include "tools/store_command.h"

namespace sagalog::tools {
namespace {

void AddRecoverCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  StoreCommand(app, global, exit_code,
               {"recover", "recover", "Decide what becomes of a stale saga",
                "sagalog recover T1 --observed 4 --decision requeue --evidence \"worker is gone\""})
      .Saga()
      .RequiredNumber("--observed", "observed", "The version that was seen: see sagalog show")
      .Choice("--decision", "decision",
              {"requeue", "fail", "compensate", "quarantine", "cancel", "complete"},
              "What becomes of it", true)
      .Text("--evidence", "evidence", "What the decision rests on")
      .Text("--section-outcome", "section_outcome", "How its open section turned out")
      .Choice("--gate", "gate", {"none", "pass", "fail"}, "What a gate said; complete needs pass")
      .Switch("--no-count", "counts", false, "Do not charge a requeue to max_recoveries")
      .Text("--no-compensation-reason", "no_compensation_reason", "Why there is nothing to undo")
      .Envelope()
      .app()
      .group(kRecoveryGroup);
}

void AddOwnershipCommands(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  StoreCommand(app, global, exit_code,
               {"report-owner", "report-owner", "Tell what a probe found: is the owner alive?",
                "sagalog report-owner T1 --owner w1 --host h1 --boot-id 7c2 --verdict dead "
                "--evidence \"the host was rebooted\""})
      .Saga(false)
      .Owner("identity", true)
      .Choice("--verdict", "verdict", {"alive", "dead", "unknown"}, "What was found", true)
      .Text("--evidence", "evidence", "What it rests on")
      .Envelope()
      .Sends([](StoreCommand::Request& request) {
        if (request.saga.empty()) {
          request.target = "/v1/owners:report";
        }
      })
      .app()
      .group(kRecoveryGroup);
  StoreCommand(app, global, exit_code,
               {"force-release", "force-release", "Break a lease, or a section: operators only",
                "sagalog force-release T1 --reason \"host is gone\" --actor ann"})
      .Saga()
      .Text("--reason", "reason", "Why")
      .Envelope()
      .app()
      .group(kRecoveryGroup);
}

void AddMarkCompensatedCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  StoreCommand(
      app, global, exit_code,
      {"mark-compensated", "mark-compensated", "End a compensating saga that owes nothing any more",
       "sagalog mark-compensated T1 --reason \"all undone\""})
      .Saga()
      .Text("--reason", "reason", "Why")
      .Envelope()
      .app()
      .group(kRecoveryGroup);
}

}  // namespace

void AddRecoveryCommands(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  AddRecoverCommand(app, global, exit_code);
  AddOwnershipCommands(app, global, exit_code);
  AddMarkCompensatedCommand(app, global, exit_code);
}

}  // namespace sagalog::tools
