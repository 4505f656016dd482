// Making a store where there is none from a log that comes from elsewhere.
#pragma once

#include <filesystem>
#include <functional>

#include "eventlog/disk_faults.h"
#include "reactor/restore.h"

namespace sagalog {

// Fills an empty folder with a log and its HEAD, closed again.
using FillFolder = std::function<Result<RestoreReport>(const std::filesystem::path& folder)>;

// Has `fill` make the log of `directory`, which must not hold a store, beside its place, and moves
// it there: a store appears whole or not at all. After an error, or a crash, it can be run again.
[[nodiscard]] Result<RestoreReport> MakeStore(const std::filesystem::path& directory,
                                              DiskFaults* faults, const FillFolder& fill);

// For `fill`: says in its folder that it salvages `damaged`, so that whoever finds it unfinished is
// told how to begin again.
[[nodiscard]] Status NoteSalvage(const std::filesystem::path& folder,
                                 const std::filesystem::path& damaged);

}  // namespace sagalog
