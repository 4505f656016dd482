#include "schema/status.h"

#include <cstdio>
#include <cstdlib>

namespace sagalog {

std::string_view CodeName(Code code) {
  switch (code) {
    case Code::kOk: return "ok";
    case Code::kInvalidArgument: return "invalid_argument";
    case Code::kNotFound: return "not_found";
    case Code::kConflict: return "conflict";
    case Code::kIndeterminate: return "indeterminate";
    case Code::kReadOnly: return "read_only";
    case Code::kLocked: return "locked";
    case Code::kUnsupportedVersion: return "unsupported_version";
    case Code::kCorruption: return "corrupt";
    case Code::kIoError: return "io_error";
    case Code::kOverloaded: return "overloaded";
    case Code::kCancelled: return "cancelled";
  }
  return "unknown";
}

void CheckFailed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: CHECK failed: %s\n", file, line, condition);
  std::abort();
}

}  // namespace sagalog
