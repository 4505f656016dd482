// What somebody who can write a data directory can do to its log, with all checksums made right.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "schema/events_generated.h"

namespace sagalog {

// The bytes of each event, by its key.
using RawEvents = std::map<std::uint64_t, std::string>;

// Changes the records of the closed log in `data`, and nothing of what they say of each other. HEAD
// is set to the last.
void RewriteRaw(const std::filesystem::path& data, const std::function<void(RawEvents&)>& change);

// Writes the log of `data` anew: decoded, changed, numbered and chained again, as the store itself
// would have written it.
void Forge(const std::filesystem::path& data,
           const std::function<void(std::vector<events::EventT>&)>& change);

// A copy of a closed data directory.
void CopyDirectory(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace sagalog
