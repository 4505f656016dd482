#include "reactor/api.h"

#include <algorithm>
#include <array>
#include <exception>
#include <new>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "reactor/api_audit.h"
#include "reactor/api_call.h"
#include "reactor/api_denial.h"
#include "reactor/api_export.h"
#include "reactor/api_problem.h"
#include "reactor/api_routes.h"
#include "reactor/api_target.h"
#include "schema/json.h"

namespace sagalog {
namespace {

using commands::Body;
using schema::RefusalCode;
using Route = ApiRoute;

// clang-format off
constexpr std::array kRoutes = {
    Route{"POST", "v1/sagas", "", Right::kOrchestrate, PlanSaga},
    Route{"GET", "v1/sagas", "", Right::kRead, ListSagas},
    Route{"GET", "v1/sagas/*", "", Right::kRead, ShowSaga},
    Route{"GET", "v1/sagas/*/events", "", Right::kRead, ShowEvents},
    Route{"GET", "v1/events", "", Right::kRead, FollowEvents},
    Route{"GET", "v1/audit/export", "", Right::kExport, ExportEvents},
    Route{"POST", "v1/sagas/*", "*", Right::kWork, CommandSaga},
    Route{"POST", "v1/batch", "", Right::kWork, RunBatch},
    Route{"POST", "v1/queues/*", "claim-next", Right::kWork, ClaimNext},
    Route{"GET", "v1/queues", "", Right::kRead, ListQueues},
    Route{"GET", "v1/queues/*", "", Right::kRead, ShowQueue},
    Route{"PUT", "v1/queues/*", "", Right::kOperate, ConfigureQueue},
    Route{"GET", "v1/policy", "", Right::kRead, ShowPolicy},
    Route{"PUT", "v1/policy", "", Right::kOperate, ChangePolicy},
    Route{"GET", "v1/stale", "", Right::kRead, ListStale},
    Route{"GET", "v1/compensations", "", Right::kRead, ListCompensations},
    Route{"GET", "v1/owners", "", Right::kRead, ListOwners},
    Route{"POST", "v1/owners", "report", Right::kOrchestrate, ReportOwners},
    Route{"GET", "v1/effects", "", Right::kRead, ListEffects},
    Route{"GET", "v1/sections", "", Right::kRead, ListSections},
    Route{"GET", "v1/readers", "", Right::kRead, ListReaders},
    Route{"PUT", "v1/readers/*", "", Right::kFollow, PlaceReader},
    Route{"DELETE", "v1/readers/*", "", Right::kFollow, RemoveReader},
    Route{"GET", "v1/status", "", Right::kRead, ShowStatus},
    Route{"GET", "openapi.json", "", Right::kRead, ShowOpenApi},
    Route{"GET", "metrics", "", Right::kRead, ShowMetrics},
    Route{"GET", "healthz", "", Right::kAnyone, ShowHealth},
    Route{"GET", "readyz", "", Right::kAnyone, ShowReadiness},
    Route{"POST", "v1/admin/verify", "", Right::kAdminister, VerifyStore},
    Route{"POST", "v1/admin/rebuild", "", Right::kAdminister, RebuildStore},
    Route{"POST", "v1/admin/checkpoint", "", Right::kAdminister, WriteCheckpoint},
    Route{"POST", "v1/admin/sweep", "", Right::kAdminister, SweepStore},
    Route{"POST", "v1/admin/backup", "", Right::kAdminister, BackUpStore},
    Route{"POST", "v1/admin/compact", "", Right::kAdminister, CompactStore},
    Route{"GET", "v1/audit/checkpoint", "", Right::kRead, ShowAuditCheckpoint},
    Route{"GET", "v1/audit/proof", "", Right::kRead, ShowAuditProof},
    Route{"POST", "v1/admin/redact", "", Right::kOperate, RedactEvent},
    Route{"POST", "v1/clock", "advance", Right::kAdminister, AdvanceClock},
    Route{"POST", "v1/clock", "step-wall", Right::kAdminister, StepWallClock},
    Route{"POST", "v1/clock", "suspend", Right::kAdminister, SuspendClock},
};
// clang-format on

bool ActionMatches(const ApiRoute& route, std::string_view action) {
  return route.action == "*" ? SagaCommandOf(action) != Body::NONE : route.action == action;
}

// Whether the route's path is the target's; the open segment, never empty, goes to `name`.
bool PathMatches(const ApiRoute& route, const ApiTarget& target, std::string& name) {
  std::string_view path = route.path;
  for (std::size_t i = 0; i < target.segments.size(); ++i) {
    const std::string_view expected = path.substr(0, path.find('/'));
    if (expected.empty()) {
      return false;
    }
    if (expected == "*" ? target.segments[i].empty() : expected != target.segments[i]) {
      return false;
    }
    if (expected == "*") {
      name = target.segments[i];
    }
    path.remove_prefix(std::min(path.size(), expected.size() + 1));
  }
  return path.empty() && ActionMatches(route, target.action);
}

ApiResponse WrongMethod(const ApiCall& call, std::string allow) {
  answers::RefusalT refusal;
  refusal.code = RefusalCode::invalid_argument;
  refusal.detail = fmt::format("this path takes {}", allow);
  ApiResponse response = ProblemWithHttpStatus(405, call.Last(), refusal);
  response.allow = std::move(allow);
  return response;
}

ApiResponse UnknownPath(const ApiCall& call) {
  const std::string& action = call.target.action;
  return Problem(call.Last(), RefusalCode::not_found,
                 action.empty()
                     ? "there is no such path"
                     : fmt::format("there is no such path; \":{}\" was taken for an action, a "
                                   "colon in a name is written %3A",
                                   action));
}

// The least that the route takes: an action that is a command, what commands of its name do.
Right RightOf(const ApiRoute& route, const ApiCall& call) {
  const commands::Body type = route.action == "*" ? SagaCommandOf(call.target.action) : Body::NONE;
  return type == Body::NONE ? route.right : LeastRightOf(type);
}

ApiResponse TakeRoute(ApiCall& call) {
  std::string allow;
  for (const ApiRoute& route : kRoutes) {
    if (!PathMatches(route, call.target, call.name)) {
      continue;
    }
    if (route.method == call.request.method) {
      if (auto refusal = CheckRight(call.caller, RightOf(route, call))) {
        return Deny(call, &route, *std::move(refusal));
      }
      if (route.method == "GET" && !call.request.body.empty()) {
        return Problem(call.Last(), RefusalCode::invalid_argument, "a GET takes no body");
      }
      return route.handler(call);
    }
    allow += allow.empty() ? "" : ", ";
    allow += route.method;
  }
  if (auto refusal = CheckRight(call.caller, Right::kRead)) {
    return Deny(call, nullptr, *std::move(refusal));
  }
  return allow.empty() ? UnknownPath(call) : WrongMethod(call, std::move(allow));
}

}  // namespace

std::span<const ApiRoute> ApiRoutes() { return kRoutes; }

Body SagaCommandOf(std::string_view action) {
  std::string name(action);
  if (name.find('_') != std::string::npos) {
    return Body::NONE;
  }
  std::replace(name.begin(), name.end(), '-', '_');
  if (name == "claim_next" || name == "configure_queue" || name == "change_policy" ||
      name == "report_owners") {
    return Body::NONE;
  }
  const auto& names = CommandNames();
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? Body::NONE : static_cast<Body>(found - names.begin() + 1);
}

ApiResponse HandleApi(Store& store, const ApiRequest& request, const ApiOptions& options) {
  try {
    const Sequence last = store.log().Last();
    if (request.role == Role::kNone && !request.body.empty()) {
      return Problem(last, *CheckRight(Caller{{}, Role::kNone}, Right::kRead));
    }
    if (request.body.size() > kRequestSizeMax) {
      return Problem(last, RefusalCode::invalid_argument,
                     fmt::format("the body has {} bytes, of {} at most", request.body.size(),
                                 kRequestSizeMax));
    }
    const Caller caller{request.principal, request.role, request.owner_prefix};
    const Result<ApiTarget> target = ParseApiTarget(request.target);
    if (!target.ok()) {
      auto refusal = CheckRight(caller, Right::kRead);
      return refusal ? Problem(last, *std::move(refusal)) : Problem(last, target.status());
    }
    ApiCall call{store, request, options, *target, caller, {}};
    return TakeRoute(call);
  } catch (const std::bad_alloc&) {
    return ApiResponse{429, "application/problem+json",
                       R"({"type":"about:blank","title":"Too Many Requests","status":429,)"
                       R"("code":"overloaded","detail":"out of memory"})"};
  }
}

}  // namespace sagalog
