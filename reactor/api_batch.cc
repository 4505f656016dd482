// Several commands in one request.
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

ApiResponse RefuseAll(const ApiCall& call, answers::RefusalT refusal) {
  return Problem(call.Last(), std::move(refusal));
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
  // What cannot be read is refused by itself; an atomic batch is refused with it.
  std::vector<commands::CommandT> readable;
  for (std::size_t i = 0; i < batch->commands.size(); ++i) {
    Result<commands::CommandT>& command = batch->commands[i];
    if (command.ok()) {
      command->principal = call.request.principal;
      readable.push_back(*std::move(command));
    } else if (batch->atomic) {
      answers::RefusalT refusal = Malformed(command.status());
      refusal.index = static_cast<std::uint32_t>(i);
      return RefuseAll(call, std::move(refusal));
    }
  }
  const BatchReply reply = call.store.ExecuteBatch(std::move(readable), batch->atomic, true);
  if (reply.refusal) {
    return RefuseAll(call, *reply.refusal);
  }
  const Sequence last = call.Last();
  std::string json = R"({"answers":[)";
  auto answered = reply.answers.begin();
  for (std::size_t i = 0; i < batch->commands.size(); ++i) {
    json += i == 0 ? "" : ",";
    const Result<commands::CommandT>& command = batch->commands[i];
    if (!command.ok()) {
      json += Problem(last, Malformed(command.status())).body;
    } else {
      json += answered->ok() ? ToJson(answered->answer()) : Problem(last, answered->refusal()).body;
      ++answered;
    }
  }
  return Answer(WithSequence(json + "]}", last));
}

}  // namespace sagalog
