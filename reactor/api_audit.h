// The paths of the HTTP interface that are about the audit tree. docs/audit.md.
#pragma once

#include "reactor/api_call.h"

namespace sagalog {

[[nodiscard]] ApiResponse ShowAuditCheckpoint(const ApiCall& call);
[[nodiscard]] ApiResponse ShowAuditProof(const ApiCall& call);

}  // namespace sagalog
