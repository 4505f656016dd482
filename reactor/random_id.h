// Names for what must never be mixed up with another: stores, lineages.
#pragma once

#include <string>

namespace sagalog {

// A random UUID (version 4).
[[nodiscard]] std::string NewRandomId();

}  // namespace sagalog
