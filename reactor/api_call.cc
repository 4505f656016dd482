#include "reactor/api_call.h"

#include <utility>
#include <variant>

namespace sagalog {

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
