// What /openapi.json says of each path beside what the route table and the FlatBuffers schema know.
#pragma once

#include <span>
#include <string_view>

namespace sagalog {

struct OpenApiOperation {
  std::string_view method;
  std::string_view path;     // as its route has it, the open segment by name: "v1/sagas/{saga_id}"
  std::string_view action;   // as its route has it
  std::string_view id;       // unique: generated clients name their methods so
  std::string_view summary;  // a line for people
  std::string_view query;    // names of query parameters, divided by blanks
  std::string_view request;  // a command's name, a component, or nothing
  std::string_view example;  // of the request, where it takes one
  std::string_view answer;   // a table ("sagalog.answers.Saga"), a component, or a media type
};

// One for each route that is no command of a saga.
[[nodiscard]] std::span<const OpenApiOperation> OpenApiOperations();

// One for each command of a saga.
struct OpenApiCommand {
  std::string_view name;  // as the schema has it: "abort_dispatch"
  std::string_view summary;
  std::string_view example;
};
[[nodiscard]] std::span<const OpenApiCommand> OpenApiCommands();

// JSON objects: the components that no table of the schema stands behind, and the parameters.
[[nodiscard]] std::string_view OpenApiHandMadeSchemas();
[[nodiscard]] std::string_view OpenApiParameters();

}  // namespace sagalog
