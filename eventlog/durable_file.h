// Files that are written whole and once, and durable when that is done.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "eventlog/disk_faults.h"
#include "schema/status.h"

namespace sagalog {

// kIoError "cannot WHAT PATH: REASON", of an `errno`.
[[nodiscard]] Status FileFailure(std::string_view what, const std::filesystem::path& path,
                                 int error);

// All below take the faults of a test, or null. What fails names the file and the machine's reason.

// Creates `to` with the first `size_bytes` of `from`; kIoError when there are fewer. The CRC-32C of
// what was copied.
[[nodiscard]] Result<std::uint32_t> CopyFileDurably(const std::filesystem::path& from,
                                                    const std::filesystem::path& to,
                                                    std::uint64_t size_bytes, DiskFaults* faults);

// Creates `path` with `bytes`.
[[nodiscard]] Status WriteFileDurably(const std::filesystem::path& path, std::string_view bytes,
                                      DiskFaults* faults);

// Makes what was created, renamed or removed in `directory` durable.
[[nodiscard]] Status SyncDirectory(const std::filesystem::path& directory, DiskFaults* faults);

// Renames within one file system and makes that durable.
[[nodiscard]] Status RenameDurably(const std::filesystem::path& from,
                                   const std::filesystem::path& to, DiskFaults* faults);

}  // namespace sagalog
