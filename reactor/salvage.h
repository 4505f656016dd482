// What can be saved of a damaged log: a new store of what stands before the damage.
#pragma once

#include <filesystem>
#include <string>

#include "reactor/restore.h"

namespace sagalog {

struct SalvageOptions {
  // The damaged data directory, or a damaged backup. Only read.
  std::filesystem::path damaged;
  // Where the new store shall be, as for a restore.
  std::filesystem::path directory;
  // Borrowed; null = the machine's.
  const Clock* clock = nullptr;
  bool accept_clock = false;
  // For tests: what goes wrong on the disk of the new store. Borrowed.
  DiskFaults* faults = nullptr;
};

struct SalvageReport {
  RestoreReport store;
  // What stopped it, naming the first event that is lost.
  std::string damage;
};

// Copies every event before the first damage into a new store and begins a lineage there, as a
// restore does: tokens of what is lost are refused for ever. kInvalidArgument when the log is whole
// or there is a store already; kCorruption when nothing stands before the damage.
[[nodiscard]] Result<SalvageReport> SalvageStore(const SalvageOptions& options);

}  // namespace sagalog
