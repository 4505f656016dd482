#include "reactor/api_call.h"

#include <utility>
#include <variant>

#include "reactor/api_problem.h"
#include "reactor/checked_execution.h"
#include "reactor/sequence_waiting.h"

namespace sagalog {

void CountReply(const ApiCall& call, commands::Body type, const Reply& reply) {
  if (call.options.figures != nullptr) {
    CountReply(*call.options.figures, type, reply);
  }
}

std::optional<ApiResponse> NotReady(const ApiCall& call, ApiQuery& query) {
  const std::uint64_t min_sequence = query.MinSequence();
  if (const Status status = query.Finish(); !status.ok()) {
    return Problem(call.Last(), status);
  }
  if (const Status reached =
          AwaitSequence(call.store.log(), min_sequence, call.options.sequence_patience);
      !reached.ok()) {
    return Problem(call.Last(), reached);
  }
  return std::nullopt;
}

Result<JsonValue::Object> ReadObject(const ApiCall& call) {
  RETURN_IF_ERROR(ApiQuery(call.target.parameters).Finish());
  if (call.request.body.empty()) {
    return JsonValue::Object();
  }
  ASSIGN_OR_RETURN(JsonValue value, ParseJsonText(call.request.body));
  auto* object = std::get_if<JsonValue::Object>(&value.is);
  if (object == nullptr) {
    return Status(Code::kInvalidArgument, "the body is no JSON object");
  }
  return std::move(*object);
}

}  // namespace sagalog
