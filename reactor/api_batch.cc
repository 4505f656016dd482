// Several commands in one request.
#include <string>
#include <utility>

#include "reactor/api_call.h"
#include "reactor/api_problem.h"
#include "reactor/checked_execution.h"
#include "schema/json.h"

namespace sagalog {

ApiResponse RunBatch(const ApiCall& call) {
  if (const Status query = ApiQuery(call.target.parameters).Finish(); !query.ok()) {
    return Problem(call.Last(), query);
  }
  Result<CommandBatch> batch = BatchFromJson(call.request.body);
  if (!batch.ok()) {
    return Problem(call.Last(), batch.status());
  }
  for (Result<commands::CommandT>& command : batch->commands) {
    if (command.ok()) {
      command->principal = call.request.principal;
    }
  }
  const BatchReply reply = ExecuteBatchFor(call.caller, call.store, call.options.figures,
                                           std::move(batch->commands), batch->atomic, true);
  if (reply.refusal) {
    return Problem(call.Last(), *reply.refusal);
  }
  const Sequence last = call.Last();
  std::string json = R"({"answers":[)";
  for (const Reply& answer : reply.answers) {
    json += json.back() == '[' ? "" : ",";
    json += answer.ok() ? ToJson(answer.answer()) : Problem(last, answer.refusal()).body;
  }
  return Answer(WithSequence(json + "]}", last));
}

}  // namespace sagalog
