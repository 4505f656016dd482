// Commands of those who plan and steer.
#include <optional>
#include <string>

#include <boost/json/array.hpp>

#include "tools/answer_text.h"
#include "tools/command_groups.h"
#include "tools/json_fields.h"
#include "tools/plan_values.h"
#include "tools/store_command.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

json::array& CompensationsOf(json::object& body) {
  json::value& list = body["compensations"];
  if (!list.is_array()) {
    list = json::array();
  }
  return list.get_array();
}

std::string AddCompensation(json::object& body, const std::string& value) {
  auto compensation = ParseCompensation(value);
  if (!compensation.ok()) {
    return compensation.status().text();
  }
  CompensationsOf(body).push_back(*std::move(compensation));
  return "";
}

std::string AddPayload(json::object& body, const std::string& path) {
  auto payload = ReadPayload(path);
  if (!payload.ok()) {
    return payload.status().text();
  }
  body["payload"] = *payload;
  return "";
}

void AddPlanCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  StoreCommand plan(app, global, exit_code,
                    {"plan", "plan", "Plan a saga: a task that somebody shall work on",
                     "sagalog plan T1 --key acme/app#168 --queue build --label team=core"});
  plan.Saga()
      .Text("--key", "key", "The task's natural key; one live saga holds it")
      .Text("--queue", "queue", "The queue it waits in (\"default\")")
      .Number("--priority", "priority", "Higher is claimed first (0)")
      .Text("--not-before", "not_before", "Not claimed before: RFC 3339, or a duration from now")
      .Text("--stage", "stage", "Its first stage")
      .Text("--issue", "issue", "The issue it is about")
      .Text("--repository", "repository", "The repository it works on")
      .Text("--branch", "branch", "The branch it works on")
      .Text("--worktree", "worktree", "The worktree it works in")
      .Pairs("--label", "labels", "To find it by")
      .Values("--payload-file", "FILE",
              "File of at most 64 KiB handed to the worker (- = standard input)", AddPayload)
      .Text("--parent", "parent", "The saga it is a part of")
      .List("--depends-on", "depends_on",
            "A saga that must complete first; one that nobody plans is waited for for ever")
      .Values("--compensation", "PARTS",
              "id=ID,kind=KIND,target=TARGET[,when=always][,shared][,param.K=V]", AddCompensation)
      .Values("--compensation-json", "JSON", "The same as a JSON object or list",
              [](json::object& body, const std::string& value) {
                return AddCompensationJson(CompensationsOf(body), value).text();
              })
      .Policy()
      .Text("--rerun", "rerun", "Why a key whose saga completed is planned again")
      .Envelope()
      .Opens(StoreClient::Access::kCreate)
      .Sends([](StoreCommand::Request& request) {
        request.target = "/v1/sagas";
        request.body["saga_id"] = request.saga;
      })
      .app()
      .group(kPlanningGroup);
  plan.app().get_option("--payload-file")->option_text("FILE");
}

void AddEndingCommands(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  StoreCommand(app, global, exit_code,
               {"cancel", "cancel", "Cancel a saga; at once, or when its section is left",
                "sagalog cancel T1 --reason \"issue closed\" --cascade"})
      .Saga()
      .Text("--reason", "reason", "Why")
      .Switch("--cascade", "cascade", true, "Its children too, and theirs")
      .Envelope()
      .app()
      .group(kPlanningGroup);
  StoreCommand(app, global, exit_code,
               {"quarantine", "quarantine", "End a saga for a person to look at",
                "sagalog quarantine T1 --reason \"crashes every worker\""})
      .Saga()
      .Text("--reason", "reason", "Why")
      .Envelope()
      .app()
      .group(kPlanningGroup);
}

void AddWaitingCommands(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  StoreCommand(app, global, exit_code,
               {"park", "park", "Keep a planned saga from being claimed",
                "sagalog park T1 --reason \"waits for an answer\""})
      .Saga()
      .Text("--reason", "reason", "Why")
      .Envelope()
      .Prints([&global](StoreClient& /*client*/, const json::object& answer) {
        PrintLine(AnswerLine(answer, std::nullopt, global.color));
        if (TextIn(answer, "outcome") == "unchanged") {
          PrintLine("the reason it was parked with stays; sagalog annotate adds another one");
        }
      })
      .app()
      .group(kPlanningGroup);
  StoreCommand(app, global, exit_code,
               {"unpark", "unpark", "Let a parked saga be claimed again", "sagalog unpark T1"})
      .Saga()
      .Envelope()
      .app()
      .group(kPlanningGroup);
  StoreCommand(app, global, exit_code,
               {"annotate", "annotate", "Add a note to a saga's history",
                "sagalog annotate T1 \"worker log: https://ci.example/7\""})
      .Saga()
      .RequiredText("text,--text", "text", "The note")
      .Envelope()
      .app()
      .group(kPlanningGroup);
}

}  // namespace

void AddSagaCommands(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  AddPlanCommand(app, global, exit_code);
  AddWaitingCommands(app, global, exit_code);
  AddEndingCommands(app, global, exit_code);
}

}  // namespace sagalog::tools
