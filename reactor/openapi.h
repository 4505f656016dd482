// The OpenAPI 3.1 document of the HTTP interface: its paths from the route table, its schemas from
// the FlatBuffers schema, its statuses and roles from the rules that give them.
#pragma once

#include <string>

namespace sagalog {

// Made once, and then the same as long as the program runs. Thread-safe.
[[nodiscard]] const std::string& OpenApiDocument();

}  // namespace sagalog
