// The log over HTTP, to take away.
#pragma once

#include "reactor/api_call.h"

namespace sagalog {

// GET /v1/audit/export: the lines of schema/export_line.h, as a stream.
[[nodiscard]] ApiResponse ExportEvents(const ApiCall& call);

}  // namespace sagalog
