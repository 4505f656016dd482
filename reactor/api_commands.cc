// What changes the store: every command, from its JSON to its answer.
#include <chrono>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "reactor/api_call.h"
#include "reactor/api_problem.h"
#include "reactor/daemon_figures.h"
#include "schema/json.h"

namespace sagalog {
namespace {

Status TakesNoQuery(const ApiCall& call) { return ApiQuery(call.target.parameters).Finish(); }

Result<commands::CommandT> ReadCommand(const ApiCall& call, std::string_view name,
                                       std::string_view saga) {
  RETURN_IF_ERROR(TakesNoQuery(call));
  return CommandFromJson(name, saga, call.request.body);
}

// What the path says; the body may repeat it.
Status TakeQueueFromPath(const ApiCall& call, std::string& queue) {
  if (!queue.empty() && queue != call.name) {
    return Status(Code::kInvalidArgument,
                  fmt::format("queue: \"{}\" is not the one the request is for", queue));
  }
  queue = call.name;
  return {};
}

// Refused before the store was asked.
ApiResponse Refuse(const ApiCall& call, commands::Body type, answers::RefusalT refusal) {
  if (call.options.figures != nullptr) {
    call.options.figures->commands.CountRefusal(type, refusal.code);
  }
  return Problem(call.Last(), std::move(refusal));
}

ApiResponse Run(const ApiCall& call, commands::CommandT command, bool with_saga) {
  command.principal = call.request.principal;
  const commands::Body type = command.body.type;
  if (auto refusal = CheckCommand(call.caller, call.store, command)) {
    return Refuse(call, type, *std::move(refusal));
  }
  const auto begun = std::chrono::steady_clock::now();
  const Reply reply = call.store.Execute(std::move(command), with_saga).Get();
  if (call.options.figures != nullptr) {
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begun;
    call.options.figures->commands.CountSeconds(type, taken.count());
    CountReply(call, type, reply);
  }
  return reply.ok() ? Answer(ToJson(reply.answer())) : Problem(call.Last(), reply.refusal());
}

// For the commands about a queue: `queue_of` shows where the body keeps its name.
template <typename QueueOf>
ApiResponse RunOnQueue(const ApiCall& call, std::string_view command_name, bool with_saga,
                       const QueueOf& queue_of) {
  auto command = ReadCommand(call, command_name, "");
  if (!command.ok()) {
    return Problem(call.Last(), command.status());
  }
  if (const Status status = TakeQueueFromPath(call, queue_of(command->body)); !status.ok()) {
    return Problem(call.Last(), status);
  }
  return Run(call, *std::move(command), with_saga);
}

}  // namespace

ApiResponse PlanSaga(const ApiCall& call) {
  auto command = ReadCommand(call, "plan", "");
  return command.ok() ? Run(call, *std::move(command), true)
                      : Problem(call.Last(), command.status());
}

ApiResponse CommandSaga(const ApiCall& call) {
  auto command = ReadCommand(call, call.target.action, call.name);
  return command.ok() ? Run(call, *std::move(command), true)
                      : Problem(call.Last(), command.status(), call.name);
}

ApiResponse ClaimNext(const ApiCall& call) {
  return RunOnQueue(call, "claim_next", true, [](commands::BodyUnion& body) -> std::string& {
    return body.AsClaimNext()->queue;
  });
}

ApiResponse ConfigureQueue(const ApiCall& call) {
  return RunOnQueue(call, "configure_queue", false, [](commands::BodyUnion& body) -> std::string& {
    return body.AsConfigureQueue()->queue;
  });
}

ApiResponse ReportOwners(const ApiCall& call) {
  auto command = ReadCommand(call, "report_owners", "");
  return command.ok() ? Run(call, *std::move(command), false)
                      : Problem(call.Last(), command.status());
}

ApiResponse ChangePolicy(const ApiCall& call) {
  auto command = ReadCommand(call, "change_policy", "");
  return command.ok() ? Run(call, *std::move(command), false)
                      : Problem(call.Last(), command.status());
}

}  // namespace sagalog
