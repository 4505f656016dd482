// The table of the HTTP interface's paths: what is served and what /openapi.json describes.
#pragma once

#include <span>
#include <string_view>

#include "reactor/access.h"
#include "reactor/api_call.h"
#include "schema/commands_generated.h"

namespace sagalog {

// A path with at most one open segment, "*", and an action or none; "*" there is any command of a
// saga, whose own right (reactor/access.cc) is then asked for too.
struct ApiRoute {
  std::string_view method;
  std::string_view path;
  std::string_view action;
  Right right;
  ApiResponse (*handler)(const ApiCall& call);
};

// In the order in which they are tried.
[[nodiscard]] std::span<const ApiRoute> ApiRoutes();

// The command about one saga that `action` names with hyphens; NONE when there is none.
[[nodiscard]] commands::Body SagaCommandOf(std::string_view action);

}  // namespace sagalog
