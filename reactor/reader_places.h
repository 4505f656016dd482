// The places of those who read a store's log, below which compaction stays.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "eventlog/log_readers.h"
#include "reactor/store.h"

namespace sagalog {

// By name.
[[nodiscard]] Result<std::vector<LogReader>> ReadReaders(Store& store);

// Says that `name` reads `position` next. False when it said so before. kInvalidArgument when that
// is no name or no place in the log: from 1 to one behind the last event.
[[nodiscard]] Result<bool> MoveReader(Store& store, std::string_view name, Sequence position);

// False when there is none of that name.
[[nodiscard]] Result<bool> ForgetReader(Store& store, std::string_view name);

}  // namespace sagalog
