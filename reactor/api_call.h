// One request on its way through the HTTP interface, and the families of its handlers.
#pragma once

#include <optional>
#include <string>

#include "reactor/api.h"
#include "reactor/api_query.h"
#include "reactor/api_target.h"
#include "schema/json_text.h"

namespace sagalog {

// Everything is borrowed for the call.
struct ApiCall {
  Store& store;
  const ApiRequest& request;
  const ApiOptions& options;
  const ApiTarget& target;
  const Caller& caller;
  // The segment that the route leaves open: a saga's id, a queue's name.
  std::string name;

  // The last durable sequence.
  [[nodiscard]] Sequence Last() const { return store.log().Last(); }
};

// The members of the body, which must be an object or empty; a query takes no parameters here.
[[nodiscard]] Result<JsonValue::Object> ReadObject(const ApiCall& call);

// To be called when every parameter of a read was asked for: a problem where the query is wrong or
// its `min_sequence` does not come.
[[nodiscard]] std::optional<ApiResponse> NotReady(const ApiCall& call, ApiQuery& query);

// Counts what came of a command, where commands are counted.
void CountReply(const ApiCall& call, commands::Body type, const Reply& reply);

// api_commands.cc
[[nodiscard]] ApiResponse PlanSaga(const ApiCall& call);
[[nodiscard]] ApiResponse CommandSaga(const ApiCall& call);
[[nodiscard]] ApiResponse ClaimNext(const ApiCall& call);
[[nodiscard]] ApiResponse ConfigureQueue(const ApiCall& call);
[[nodiscard]] ApiResponse ChangePolicy(const ApiCall& call);
[[nodiscard]] ApiResponse ReportOwners(const ApiCall& call);

// api_batch.cc
[[nodiscard]] ApiResponse RunBatch(const ApiCall& call);

// api_reads.cc
[[nodiscard]] ApiResponse ListSagas(const ApiCall& call);
[[nodiscard]] ApiResponse ShowSaga(const ApiCall& call);
[[nodiscard]] ApiResponse ShowEvents(const ApiCall& call);
[[nodiscard]] ApiResponse ListQueues(const ApiCall& call);
[[nodiscard]] ApiResponse ShowQueue(const ApiCall& call);
[[nodiscard]] ApiResponse ListStale(const ApiCall& call);
[[nodiscard]] ApiResponse ListCompensations(const ApiCall& call);
[[nodiscard]] ApiResponse ShowPolicy(const ApiCall& call);
[[nodiscard]] ApiResponse ListOwners(const ApiCall& call);
[[nodiscard]] ApiResponse ListEffects(const ApiCall& call);
[[nodiscard]] ApiResponse ListSections(const ApiCall& call);
[[nodiscard]] ApiResponse ShowStatus(const ApiCall& call);

// api_readers.cc
[[nodiscard]] ApiResponse ListReaders(const ApiCall& call);
[[nodiscard]] ApiResponse PlaceReader(const ApiCall& call);
[[nodiscard]] ApiResponse RemoveReader(const ApiCall& call);

// api_events.cc
[[nodiscard]] ApiResponse FollowEvents(const ApiCall& call);
[[nodiscard]] ApiResponse FollowSaga(const ApiCall& call);

// openapi.cc
[[nodiscard]] ApiResponse ShowOpenApi(const ApiCall& call);

// api_metrics.cc
[[nodiscard]] ApiResponse ShowMetrics(const ApiCall& call);

// api_operation.cc
[[nodiscard]] ApiResponse ShowHealth(const ApiCall& call);
[[nodiscard]] ApiResponse ShowReadiness(const ApiCall& call);
[[nodiscard]] ApiResponse VerifyStore(const ApiCall& call);
[[nodiscard]] ApiResponse RebuildStore(const ApiCall& call);
[[nodiscard]] ApiResponse WriteCheckpoint(const ApiCall& call);
[[nodiscard]] ApiResponse SweepStore(const ApiCall& call);
[[nodiscard]] ApiResponse AdvanceClock(const ApiCall& call);
[[nodiscard]] ApiResponse StepWallClock(const ApiCall& call);
[[nodiscard]] ApiResponse SuspendClock(const ApiCall& call);

// api_keeping.cc
[[nodiscard]] ApiResponse BackUpStore(const ApiCall& call);
[[nodiscard]] ApiResponse CompactStore(const ApiCall& call);

// api_redact.cc
[[nodiscard]] ApiResponse RedactEvent(const ApiCall& call);

}  // namespace sagalog
