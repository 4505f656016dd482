#include "reactor/api_call.h"

#include <atomic>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "reactor/api_problem.h"
#include "reactor/daemon_figures.h"

namespace sagalog {
namespace {

using schema::RefusalCode;

// Reads of this process that wait for their sequence.
std::atomic<std::size_t> sequence_waiters{0};

class SequenceWaiter {
 public:
  SequenceWaiter() : taken_(sequence_waiters.fetch_add(1) < kSequenceWaitersMax) {}
  ~SequenceWaiter() { sequence_waiters.fetch_sub(1); }
  SequenceWaiter(const SequenceWaiter&) = delete;
  SequenceWaiter& operator=(const SequenceWaiter&) = delete;
  [[nodiscard]] bool taken() const { return taken_; }

 private:
  bool taken_;
};

// Waits until `wanted` is durable; a problem when it is not in time.
std::optional<ApiResponse> AwaitSequence(const ApiCall& call, std::uint64_t wanted) {
  if (wanted <= call.Last().value()) {
    return std::nullopt;
  }
  const SequenceWaiter waiter;
  const Sequence before(wanted - 1);
  if (waiter.taken() && call.store.log().WaitBeyond(before, call.options.sequence_patience)) {
    return std::nullopt;
  }
  return Problem(call.Last(), RefusalCode::overloaded,
                 fmt::format("min_sequence: the store is at {} and not yet at {}",
                             call.Last().value(), wanted));
}

}  // namespace

void CountReply(const ApiCall& call, commands::Body type, const Reply& reply) {
  if (call.options.figures == nullptr) {
    return;
  }
  CommandCounts& counts = call.options.figures->commands;
  if (reply.ok()) {
    counts.CountAnswer(type, reply.answer().outcome);
  } else {
    counts.CountRefusal(type, reply.refusal().code);
  }
}

std::optional<ApiResponse> NotReady(const ApiCall& call, ApiQuery& query) {
  const std::uint64_t min_sequence = query.MinSequence();
  if (const Status status = query.Finish(); !status.ok()) {
    return Problem(call.Last(), status);
  }
  return AwaitSequence(call, min_sequence);
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
