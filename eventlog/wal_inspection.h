// Whether RocksDB's write-ahead log is whole, torn at its end, or damaged before it. RocksDB
// itself cannot tell the last two apart, and takes some damage for the end of the log.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "schema/status.h"

namespace sagalog {

enum class WalState {
  kWhole,
  // The last write was never finished: no later one was begun behind it, and a write is begun
  // only when the one before is durable.
  kTorn,
  // A later write stands behind the damage: what is damaged had been durable.
  kDamaged,
};

struct WalInspection {
  WalState state = WalState::kWhole;
  // Where it stops being whole, for a person: "000012.log at byte 4711".
  std::string place;
};

// The write-ahead files in `directory` whose number is at least `from_number`, oldest first.
[[nodiscard]] Result<std::vector<std::filesystem::path>> ListWalFiles(
    const std::filesystem::path& directory, std::uint64_t from_number);

// Reads those files and writes nothing. Their format: docs/log-format.md.
[[nodiscard]] Result<WalInspection> InspectWal(const std::filesystem::path& directory,
                                               std::uint64_t from_number);

}  // namespace sagalog
