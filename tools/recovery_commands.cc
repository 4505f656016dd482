// What becomes of sagas whose owner is gone.
#include <memory>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "tools/answer_text.h"
#include "tools/command_groups.h"
#include "tools/json_fields.h"
#include "tools/probe_command.h"
#include "tools/store_command.h"

namespace sagalog::tools {
namespace json = boost::json;
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
      .Choice("--gate", "gate", {"none", "pass", "fail"},
              "What a gate said; complete needs pass (none)")
      .Switch("--no-count", "counts", false, "Do not charge a requeue to max_recoveries")
      .Text("--no-compensation-reason", "no_compensation_reason",
            "Why there is nothing to undo: needed by fail when nothing is registered")
      .Envelope()
      .app()
      .group(kRecoveryGroup);
}

// A report without a saga says of each holder what it proves.
StoreCommand::Print PrintReports(const GlobalOptions& global) {
  return [&global](StoreClient& client, const json::object& answer) {
    if (answer.contains("saga")) {
      PrintLine(AnswerLine(answer, client.Now(), global.color));
      return;
    }
    const json::array& reports = ArrayIn(answer, "reports");
    for (const json::value& item : reports) {
      const json::object& report = AsObject(item);
      PrintLine(fmt::format("{}  holder {}", Printable(TextIn(report, "saga_id")),
                            TextIn(report, "verdict")));
    }
    if (reports.empty()) {
      PrintLine("it holds nothing of which this is news");
    }
  };
}

void AddReportCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  const auto probe = std::make_shared<bool>(false);
  StoreCommand report(
      app, global, exit_code,
      {"report-owner", "report-owner",
       "Tell what a probe found: is the owner alive? Without a saga, of all that it holds",
       "sagalog report-owner T1 --owner w1 --host h1 --boot-id 7c2 --verdict dead "
       "--evidence \"the host was rebooted\"\n  sagalog report-owner --probe"});
  report.Saga(false)
      .Owner("identity", false)
      .Choice("--verdict", "verdict", {"alive", "dead"}, "What was found", true)
      .Text("--evidence", "evidence", "What it rests on")
      .Envelope()
      .Sends([](StoreCommand::Request& request) {
        if (request.saga.empty()) {
          request.target = "/v1/owners:report";
        }
      })
      .Prints(PrintReports(global))
      .Instead([probe, &global, &exit_code] {
        if (*probe) {
          ProbeOwners(global, exit_code);
        }
        return *probe;
      });
  CLI::Option* flag = report.app().add_flag(
      "--probe", *probe, "Look at every holder on this host, and report what is found");
  for (const char* other : {"saga", "--owner", "--host", "--verdict", "--evidence"}) {
    flag->excludes(report.app().get_option(other));
  }
  report.app().group(kRecoveryGroup);
}

void AddForceReleaseCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  StoreCommand(app, global, exit_code,
               {"force-release", "force-release", "Break a lease, or a section: operators only",
                "sagalog force-release T1 --reason \"host is gone\" --actor ann"})
      .Saga()
      .RequiredText("--reason", "reason", "Why")
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
  AddReportCommand(app, global, exit_code);
  AddForceReleaseCommand(app, global, exit_code);
  AddMarkCompensatedCommand(app, global, exit_code);
}

}  // namespace sagalog::tools
