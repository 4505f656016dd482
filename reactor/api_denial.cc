#include "reactor/api_denial.h"

#include <utility>

#include "reactor/api_problem.h"
#include "reactor/api_target.h"
#include "reactor/daemon_figures.h"
#include "schema/json.h"

namespace sagalog {
namespace {

using commands::Body;
using schema::RefusalCode;

// The command that a route carries out; NONE where it is something else, or not one alone.
Body CommandOf(const ApiRoute& route, const ApiCall& call) {
  if (route.handler == &CommandSaga) {
    return SagaCommandOf(call.target.action);
  }
  if (route.handler == &PlanSaga) {
    return Body::Plan;
  }
  if (route.handler == &ClaimNext) {
    return Body::ClaimNext;
  }
  if (route.handler == &ConfigureQueue) {
    return Body::ConfigureQueue;
  }
  if (route.handler == &ChangePolicy) {
    return Body::ChangePolicy;
  }
  return route.handler == &ReportOwners ? Body::ReportOwners : Body::NONE;
}

// One that cannot be read is no evidence of anything.
void NoteIn(Store& store, const ApiCall& call, Body type, const answers::RefusalT& refusal) {
  const bool of_saga = SagaCommandOf(call.target.action) == type;
  auto command =
      CommandFromJson(CommandName(type), of_saga ? call.name : std::string(), call.request.body);
  if (!command.ok()) {
    return;
  }
  command->principal = call.request.principal;
  if (type == Body::ClaimNext) {
    command->body.AsClaimNext()->queue = call.name;
  } else if (type == Body::ConfigureQueue) {
    command->body.AsConfigureQueue()->queue = call.name;
  }
  store.NoteRefusal(*command, refusal);
}

}  // namespace

ApiResponse Deny(const ApiCall& call, const ApiRoute* route, answers::RefusalT refusal) {
  const Body type = route == nullptr ? Body::NONE : CommandOf(*route, call);
  if (call.options.figures != nullptr) {
    call.options.figures->commands.CountRefusal(type, refusal.code);
  }
  if (type != Body::NONE && refusal.code == RefusalCode::forbidden) {
    NoteIn(call.store, call, type, refusal);
  }
  return Problem(call.Last(), std::move(refusal));
}

}  // namespace sagalog
