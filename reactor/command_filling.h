// A command in its general form, from what a method of Store or Client is given.
#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "reactor/store.h"

namespace sagalog {

template <typename Arguments>
[[nodiscard]] commands::CommandT FillCommand(std::string_view saga, Arguments arguments,
                                             CallOptions& options) {
  commands::CommandT command;
  command.saga_id = saga;
  command.actor = std::move(options.actor);
  command.principal = std::move(options.principal);
  command.traceparent = std::move(options.traceparent);
  if (options.request_id) {
    command.request_id = std::make_unique<schema::RequestId>(*options.request_id);
  }
  if (options.expected_version) {
    command.expected_version = *options.expected_version;
  }
  command.body.Set(std::move(arguments));
  return command;
}

}  // namespace sagalog
