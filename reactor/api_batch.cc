// Several commands in one request.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "reactor/api_call.h"
#include "reactor/api_problem.h"
#include "schema/json.h"

namespace sagalog {
namespace {

answers::RefusalT Malformed(const Status& status) {
  answers::RefusalT refusal;
  refusal.code = schema::RefusalCode::invalid_argument;
  refusal.detail = status.text();
  return refusal;
}

// What needs no look at the store; else the command is ready to be carried out.
std::optional<answers::RefusalT> RefuseBefore(const ApiCall& call,
                                              Result<commands::CommandT>& command) {
  if (!command.ok()) {
    return Malformed(command.status());
  }
  command->principal = call.request.principal;
  return CheckCommand(call.caller, call.store, *command);
}

}  // namespace

ApiResponse RunBatch(const ApiCall& call) {
  if (const Status query = ApiQuery(call.target.parameters).Finish(); !query.ok()) {
    return Problem(call.Last(), query);
  }
  Result<CommandBatch> batch = BatchFromJson(call.request.body);
  if (!batch.ok()) {
    return Problem(call.Last(), batch.status());
  }
  // What cannot be read, or is not the caller's to do, is refused by itself; an atomic batch is
  // refused with it.
  std::vector<std::optional<answers::RefusalT>> refused(batch->commands.size());
  std::vector<commands::CommandT> allowed;
  std::vector<commands::Body> types;
  for (std::size_t i = 0; i < refused.size(); ++i) {
    refused[i] = RefuseBefore(call, batch->commands[i]);
    if (!refused[i]) {
      types.push_back(batch->commands[i]->body.type);
      allowed.push_back(*std::move(batch->commands[i]));
    } else if (batch->atomic) {
      refused[i]->index = static_cast<std::uint32_t>(i);
      return Problem(call.Last(), *std::move(refused[i]));
    }
  }
  const BatchReply reply = call.store.ExecuteBatch(std::move(allowed), batch->atomic, true);
  if (reply.refusal) {
    return Problem(call.Last(), *reply.refusal);
  }
  for (std::size_t i = 0; i < types.size(); ++i) {
    CountReply(call, types[i], reply.answers[i]);
  }
  const Sequence last = call.Last();
  std::string json = R"({"answers":[)";
  auto answered = reply.answers.begin();
  for (std::size_t i = 0; i < refused.size(); ++i) {
    json += i == 0 ? "" : ",";
    if (refused[i]) {
      json += Problem(last, *std::move(refused[i])).body;
    } else {
      json += answered->ok() ? ToJson(answered->answer()) : Problem(last, answered->refusal()).body;
      ++answered;
    }
  }
  return Answer(WithSequence(json + "]}", last));
}

}  // namespace sagalog
