// Commands of those who work: they take a lease, and hold it by its token.
#include <boost/json/object.hpp>

#include "tools/command_groups.h"
#include "tools/json_fields.h"
#include "tools/store_command.h"

namespace sagalog::tools {
namespace {

constexpr const char* kNoCompensationHelp =
    "Why there is nothing to undo: needed by a failure when nothing is registered";

// The queue is a part of the path.
void SendToQueue(StoreCommand::Request& request) {
  std::string queue(TextIn(request.body, "queue"));
  if (queue.empty()) {
    queue = "default";
  }
  request.body.erase("queue");
  request.target = "/v1/queues/" + UrlPart(queue) + ":claim-next";
}

void AddAcquiringCommands(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  StoreCommand(app, global, exit_code,
               {"acquire", "acquire", "Take a saga and run it under a new token",
                "sagalog acquire T1 --owner w1 --ttl 30s"})
      .Saga()
      .Owner("owner", true)
      .Duration("--ttl", "ttl", "How long the lease lasts without a heartbeat")
      .Number("--dispatch-token", "dispatch_token", "The token of the dispatch it starts from")
      .Envelope()
      .app()
      .group(kWorkerGroup);
  StoreCommand(app, global, exit_code,
               {"claim", "claim-next", "Take the first saga of a queue that may start",
                "sagalog claim build --owner w1 --ttl 30s"})
      .Text("queue,--queue", "queue", "The queue (\"default\")")
      .Owner("owner", true)
      .Duration("--ttl", "ttl", "How long the lease lasts without a heartbeat")
      .Choice("--as", "as", {"acquire", "dispatch"},
              "Under a worker's lease or a dispatch (acquire)")
      .Envelope()
      .Opens(StoreClient::Access::kCreate)
      .Sends(SendToQueue)
      .app()
      .group(kWorkerGroup);
  StoreCommand(app, global, exit_code,
               {"heartbeat", "heartbeat", "Extend a lease",
                "sagalog heartbeat T1 --token 42 --progress \"3 of 7 tests\""})
      .SagaOfRun()
      .Token()
      .Owner("owner", false)
      .Duration("--ttl", "ttl", "By how much from now (as it was acquired)")
      .Text("--progress", "progress", "How far the work is")
      .Envelope()
      .app()
      .group(kWorkerGroup);
  StoreCommand(app, global, exit_code,
               {"release", "release", "Give a lease up: planned again",
                "sagalog release T1 --token 42 --reason \"worker shuts down\""})
      .SagaOfRun()
      .Token()
      .Owner("owner", false)
      .Text("--reason", "reason", "Why")
      .Envelope()
      .app()
      .group(kWorkerGroup);
}

void AddDispatchCommands(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  StoreCommand(app, global, exit_code,
               {"dispatch", "dispatch", "Claim a saga for a worker that is still to come",
                "sagalog dispatch T1 --owner fleet --ttl 60s"})
      .Saga()
      .Owner("owner", true)
      .Duration("--ttl", "ttl", "How long the worker may take to come")
      .Envelope()
      .app()
      .group(kWorkerGroup);
  StoreCommand(app, global, exit_code,
               {"abort-dispatch", "abort-dispatch", "Take a dispatch back: its worker never came",
                "sagalog abort-dispatch T1 --dispatch-token 41 --reason \"no machine\""})
      .Saga()
      .RequiredNumber("--dispatch-token,--token", "dispatch_token", "The token of the dispatch")
      .Owner("owner", false)
      .Text("--reason", "reason", "Why")
      .Choice("--then", "then", {"requeue", "fail"}, "What becomes of it (requeue)")
      .Text("--no-compensation-reason", "no_compensation_reason", kNoCompensationHelp)
      .Envelope()
      .app()
      .group(kWorkerGroup);
}

void AddProgressCommands(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  StoreCommand(app, global, exit_code,
               {"stage", "advance-stage", "Move a saga to its next stage",
                "sagalog stage T1 --token 42 --expected build --next test"})
      .SagaOfRun()
      .TokenOrActor("The fencing token, else $SAGALOG_TOKEN; without one --actor")
      .Owner("owner", false)
      .Text("--expected", "expected", "The stage it is in (unset = \"\")")
      .RequiredText("--next", "next", "The stage it enters")
      .Envelope()
      .app()
      .group(kWorkerGroup);
  StoreCommand(app, global, exit_code,
               {"exit", "record-exit", "Record that the worker's process ended: evidence only",
                "sagalog exit T1 --token 42 --exit-code 0"})
      .SagaOfRun()
      .Token()
      .Owner("owner", false)
      .RequiredNumber("--exit-code,--code", "exit_code", "What it ended with")
      .Envelope()
      .app()
      .group(kWorkerGroup);
}

void AddFinishingCommands(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  StoreCommand(app, global, exit_code,
               {"complete", "complete", "End a saga well",
                "sagalog complete T1 --token 42 --result \"merged as 1a2b3c\""})
      .SagaOfRun()
      .Token()
      .Owner("owner", false)
      .Text("--result", "result", "What came out")
      .Envelope()
      .app()
      .group(kWorkerGroup);
  StoreCommand(app, global, exit_code,
               {"fail", "fail", "End a saga badly: its compensations are owed",
                "sagalog fail T1 --token 42 --reason \"tests are red\""})
      .SagaOfRun()
      .Token()
      .Owner("owner", false)
      .Text("--reason", "reason", "Why")
      .Text("--no-compensation-reason", "no_compensation_reason", kNoCompensationHelp)
      .Envelope()
      .app()
      .group(kWorkerGroup);
  StoreCommand(app, global, exit_code,
               {"compensate", "compensate", "Give a saga up and undo what it did",
                "sagalog compensate T1 --token 42 --reason \"wrong branch\""})
      .SagaOfRun()
      .Token()
      .Owner("owner", false)
      .Text("--reason", "reason", "Why")
      .Envelope()
      .app()
      .group(kWorkerGroup);
}

void AddSectionCommands(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  CLI::App* section = AddDescribed(app, "section", "Guard irreversible work: enter, leave",
                                   "sagalog section enter T1 --token 42 --name merge");
  section->group(kWorkerGroup)->require_subcommand(1)->fallthrough();
  StoreCommand(*section, global, exit_code,
               {"enter", "enter-section", "Enter the critical section",
                "sagalog section enter T1 --token 42 --name merge --max-age 10m"})
      .SagaOfRun()
      .Token()
      .Owner("owner", false)
      .RequiredText("--name", "name", "What is done inside")
      .Text("--expected-stage", "expected_stage", "Refuse in any other stage")
      .Duration("--max-age", "max_age", "After which it is overdue")
      .Envelope();
  StoreCommand(*section, global, exit_code,
               {"leave", "leave-section", "Leave the critical section",
                "sagalog section leave T1 --token 42 --outcome merged --final completed"})
      .SagaOfRun()
      .Token()
      .Owner("owner", false)
      .Text("--outcome", "outcome", "How it turned out")
      .Choice("--final", "final", {"none", "completed", "failed"}, "Ends the saga at once (none)")
      .Text("--no-compensation-reason", "no_compensation_reason", kNoCompensationHelp)
      .Envelope();
}

void AddEffectCommands(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  CLI::App* effect = AddDescribed(app, "effect", "Irreversible acts, each once: begin, settle, ls",
                                  "sagalog effect begin T1 --token 42 --effect push "
                                  "--fingerprint 1a2b3c");
  effect->group(kWorkerGroup)->require_subcommand(1)->fallthrough();
  StoreCommand(*effect, global, exit_code,
               {"begin", "begin-effect", "Record the intent before the act",
                "sagalog effect begin T1 --token 42 --effect push --fingerprint 1a2b3c"})
      .SagaOfRun()
      .Token()
      .Owner("owner", false)
      .RequiredText("--effect", "effect", "Its name")
      .Text("--fingerprint", "fingerprint", "What exactly is done; another one is a conflict")
      .Choice("--scope", "scope", {"saga", "key"}, "Once in the saga, or in all of its key (saga)")
      .Envelope();
  StoreCommand(*effect, global, exit_code,
               {"settle", "settle-effect", "Record what the act came to",
                "sagalog effect settle T1 --effect push --outcome done --result 1a2b3c"})
      .Saga()
      .RequiredText("--effect", "effect", "Its name")
      .RequiredText("--outcome", "outcome", "How it turned out")
      .Text("--result", "result", "What came out")
      .Envelope();
  AddEffectListCommand(*effect, global, exit_code);
}

}  // namespace

void AddWorkerCommands(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  AddAcquiringCommands(app, global, exit_code);
  AddDispatchCommands(app, global, exit_code);
  AddProgressCommands(app, global, exit_code);
  AddSectionCommands(app, global, exit_code);
  AddEffectCommands(app, global, exit_code);
  AddFinishingCommands(app, global, exit_code);
}

}  // namespace sagalog::tools
