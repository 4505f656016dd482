#include "reactor/api.h"

#include <algorithm>
#include <array>
#include <exception>
#include <new>
#include <utility>

#include <fmt/format.h>

#include "reactor/api_call.h"
#include "reactor/api_problem.h"
#include "reactor/api_target.h"
#include "schema/json.h"

namespace sagalog {
namespace {

using schema::RefusalCode;

// A path with at most one open segment, "*", and an action or none; "*" there is any command of a
// saga.
struct Route {
  std::string_view method;
  std::string_view path;
  std::string_view action;
  ApiResponse (*handler)(const ApiCall& call);
};

constexpr std::array kRoutes = {
    Route{"POST", "v1/sagas", "", PlanSaga},
    Route{"GET", "v1/sagas", "", ListSagas},
    Route{"GET", "v1/sagas/*", "", ShowSaga},
    Route{"GET", "v1/sagas/*/events", "", ShowEvents},
    Route{"POST", "v1/sagas/*", "*", CommandSaga},
    Route{"POST", "v1/batch", "", RunBatch},
    Route{"POST", "v1/queues/*", "claim-next", ClaimNext},
    Route{"GET", "v1/queues/*", "", ShowQueue},
    Route{"PUT", "v1/queues/*", "", ConfigureQueue},
    Route{"GET", "v1/policy", "", ShowPolicy},
    Route{"PUT", "v1/policy", "", ChangePolicy},
    Route{"GET", "v1/stale", "", ListStale},
    Route{"GET", "v1/compensations", "", ListCompensations},
    Route{"GET", "v1/owners", "", ListOwners},
    Route{"POST", "v1/owners", "report", ReportOwners},
    Route{"GET", "v1/effects", "", ListEffects},
    Route{"GET", "v1/sections", "", ListSections},
    Route{"GET", "v1/status", "", ShowStatus},
    Route{"GET", "healthz", "", ShowHealth},
    Route{"GET", "readyz", "", ShowReadiness},
    Route{"POST", "v1/admin/verify", "", VerifyStore},
    Route{"POST", "v1/admin/rebuild", "", RebuildStore},
    Route{"POST", "v1/admin/checkpoint", "", CheckpointStore},
    Route{"POST", "v1/admin/sweep", "", SweepStore},
    Route{"POST", "v1/admin/backup", "", BackUpStore},
    Route{"POST", "v1/admin/compact", "", CompactStore},
    Route{"POST", "v1/clock", "advance", AdvanceClock},
    Route{"POST", "v1/clock", "step-wall", StepWallClock},
    Route{"POST", "v1/clock", "suspend", SuspendClock},
};

// Whether `action` is a command about one saga, by its name with hyphens.
bool IsSagaCommand(std::string_view action) {
  std::string name(action);
  if (name.find('_') != std::string::npos) {
    return false;
  }
  std::replace(name.begin(), name.end(), '-', '_');
  if (name == "claim_next" || name == "configure_queue" || name == "change_policy" ||
      name == "report_owners") {
    return false;
  }
  const auto& names = CommandNames();
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool ActionMatches(const Route& route, std::string_view action) {
  return route.action == "*" ? IsSagaCommand(action) : route.action == action;
}

// Whether the route's path is the target's; the open segment, never empty, goes to `name`.
bool PathMatches(const Route& route, const ApiTarget& target, std::string& name) {
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

ApiResponse TakeRoute(ApiCall& call) {
  std::string allow;
  for (const Route& route : kRoutes) {
    if (!PathMatches(route, call.target, call.name)) {
      continue;
    }
    if (route.method == call.request.method) {
      if (route.method == "GET" && !call.request.body.empty()) {
        return Problem(call.Last(), RefusalCode::invalid_argument, "a GET takes no body");
      }
      return route.handler(call);
    }
    allow += allow.empty() ? "" : ", ";
    allow += route.method;
  }
  return allow.empty() ? UnknownPath(call) : WrongMethod(call, std::move(allow));
}

}  // namespace

ApiResponse HandleApi(Store& store, const ApiRequest& request, const ApiOptions& options) {
  try {
    const Sequence last = store.log().Last();
    if (request.body.size() > kRequestSizeMax) {
      return Problem(last, RefusalCode::invalid_argument,
                     fmt::format("the body has {} bytes, of {} at most", request.body.size(),
                                 kRequestSizeMax));
    }
    const Result<ApiTarget> target = ParseApiTarget(request.target);
    if (!target.ok()) {
      return Problem(last, target.status());
    }
    ApiCall call{store, request, options, *target, {}};
    return TakeRoute(call);
  } catch (const std::bad_alloc&) {
    return ApiResponse{429, "application/problem+json",
                       R"({"type":"about:blank","title":"Too Many Requests","status":429,)"
                       R"("code":"overloaded","detail":"out of memory"})"};
  }
}

}  // namespace sagalog
