// The target of a request, taken apart: "/v1/queues/a%2Fb:claim-next?limit=10".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schema/status.h"

namespace sagalog {

struct ApiParameter {
  std::string name;
  std::string value;
};

// Split first and percent-decoded afterwards, so that an encoded "/", ":", "&" or "=" is never
// taken for one that separates. All texts are UTF-8.
struct ApiTarget {
  std::vector<std::string> segments;  // without the action: "v1", "queues", "a/b"
  // What follows the last ":" of the last segment: "claim-next". A colon in a name is "%3A".
  std::string action;
  std::vector<ApiParameter> parameters;  // in the order given; a "+" in them is a space
};

// kInvalidArgument unless it is the origin form of RFC 9112 (a path and a query), correctly
// percent-encoded, of UTF-8.
[[nodiscard]] Result<ApiTarget> ParseApiTarget(std::string_view target);

}  // namespace sagalog
