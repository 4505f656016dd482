// What is to be undone or cleaned, and who does it.
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>

#include "tools/answer_text.h"
#include "tools/command_groups.h"
#include "tools/compensation_run.h"
#include "tools/json_fields.h"
#include "tools/page_reading.h"
#include "tools/store_command.h"
#include "tools/table.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

void PrintBacklog(const GlobalOptions& global, std::optional<StoreTime> /*now*/,
                  const json::array& items) {
  Table table({"SAGA", "SAGA STATE", "COMPENSATION", "STATE", "CLAIMABLE", "ATTEMPTS", "KIND",
               "TARGET", "EXECUTOR", "DETAIL"});
  for (const json::value& item : items) {
    const json::object& row = AsObject(item);
    const json::object& entry = ObjectIn(row, "compensation");
    const std::string saga_state(TextIn(row, "state"));
    const std::string state(TextIn(entry, "state"));
    table.Add({std::string(TextIn(row, "saga_id")), Cell(saga_state, StateStyle(saga_state)),
               std::string(TextIn(entry, "id")),
               Cell(state, state == "failed" ? Style::kBad : Style::kPlain),
               FlagIn(row, "claimable") ? "yes" : "no", InWords(entry, "attempts"),
               std::string(TextIn(entry, "kind")), std::string(TextIn(entry, "target")),
               std::string(TextIn(entry, "executor")), std::string(TextIn(entry, "detail"))});
  }
  PrintLine(table.empty() ? "nothing is owed"
                          : table.Render(ColumnsOf(STDOUT_FILENO), global.color));
}

void AddBacklogCommand(CLI::App& compensation, const GlobalOptions& global, int& exit_code) {
  const auto page = std::make_shared<PageOptions>();
  CLI::App* ls = AddDescribed(compensation, "ls", "List what is owed and what failed",
                              "sagalog compensation ls");
  AddPageFlags(*ls, *page);
  ls->callback([page, &global, &exit_code] {
    ShowPages(global, "/v1/compensations", UrlQuery(), *page, exit_code, PrintBacklog);
  });
}

void AddRegisterCommand(CLI::App& compensation, const GlobalOptions& global, int& exit_code) {
  StoreCommand(compensation, global, exit_code,
               {"register", "register-compensation", "One more thing to undo or to clean",
                "sagalog compensation register T1 --id wt --kind remove-worktree "
                "--target /srv/wt/T1"})
      .SagaOfRun()
      .RequiredText("--id", "id", "Its id in the saga")
      .RequiredText("--kind", "kind", "What is to be done")
      .RequiredText("--target", "target", "To what")
      .Pairs("--param", "params", "For the one who does it")
      .Choice("--when", "when", {"unless_completed", "always"},
              "Dropped by a completion, or not (unless_completed)")
      .Switch("--shared", "shared", true, "Other live sagas may have registered the target")
      .Number("--token", "token", "The fencing token")
      .Owner("owner", false)
      .Envelope();
}

}  // namespace

void AddCompensationCommands(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  CLI::App* compensation =
      AddDescribed(app, "compensation", "Undo and clean up: ls, register, claim, settle, run",
                   "sagalog compensation ls");
  compensation->group(kRecoveryGroup)->require_subcommand(1)->fallthrough();
  AddBacklogCommand(*compensation, global, exit_code);
  AddRegisterCommand(*compensation, global, exit_code);
  StoreCommand(*compensation, global, exit_code,
               {"claim", "claim-compensation", "Take one to do it, under a token of its own",
                "sagalog compensation claim T1 --id wt --executor janitor --ttl 60s"})
      .Saga()
      .RequiredText("--id", "id", "Its id in the saga")
      .RequiredText("--executor", "executor", "Who does it")
      .Duration("--ttl", "ttl", "After which another one may take it")
      .Envelope();
  StoreCommand(*compensation, global, exit_code,
               {"settle", "settle-compensation", "Say how it went",
                "sagalog compensation settle T1 --id wt --token 57 --outcome done"})
      .Saga()
      .RequiredText("--id", "id", "Its id in the saga")
      .Number("--token", "token", "The token of the claim; waiving needs --actor instead")
      .Choice("--outcome", "outcome", {"done", "failed", "waived"}, "How it went", true)
      .Text("--detail", "detail", "What happened; why it is waived")
      .Envelope();
  AddCompensationRunCommand(*compensation, global, exit_code);
}

}  // namespace sagalog::tools
