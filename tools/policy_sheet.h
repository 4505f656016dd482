// A policy as it holds: each value, and where it was set.
#pragma once

#include <string>

#include <boost/json/object.hpp>

#include "tools/sheet.h"

namespace sagalog::tools {

// The names of a policy's values, for help: "lease_ttl, dispatch_ttl, …". Those that take a word
// list their words.
[[nodiscard]] std::string PolicyNames();

// A line for each value: "lease_ttl  2m (queue)", "dispatch_ttl  60s (default)". `queue` and
// `store` are what was set; `queue` is null where only the store is asked about.
void AddEffectivePolicy(Sheet& sheet, const boost::json::object* queue,
                        const boost::json::object& store);

}  // namespace sagalog::tools
