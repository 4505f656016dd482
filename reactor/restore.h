// Bringing a backup back: as a new lineage of its store, whose tokens stand above all those of the
// future that was lost.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "eventlog/disk_faults.h"
#include "eventlog/event_log.h"
#include "reactor/clock.h"
#include "schema/id.h"
#include "schema/status.h"

namespace sagalog {

struct RestoreOptions {
  // A backup, or a directory of backups, of which the newest is taken.
  std::filesystem::path backup;
  // Where the store shall be: nothing yet, an empty directory, or a data directory without a log.
  std::filesystem::path directory;
  // Borrowed; null = the machine's.
  const Clock* clock = nullptr;
  // Accept a wall clock more than 7 days ahead of the last event.
  bool accept_clock = false;
  // For tests: what goes wrong on the disk. Borrowed.
  DiskFaults* faults = nullptr;
};

struct RestoreReport {
  std::string store_id;
  std::string lineage;
  // Of the backup: how many events, and the root of their Merkle tree in base64.
  std::uint64_t old_size = 0;
  std::string old_root;
  // The `store_restored` event.
  Sequence last;
  // The smallest that the store may grant from here on.
  Token next_token;
};

// Copies the backup, verifies every byte and event of it, and appends `store_restored`; a store is
// there only when all of that is done. kInvalidArgument when there is a store already, kNotFound
// when there is no backup, kCorruption when it is damaged, naming the file and event, kLocked when
// somebody holds the directory. After any error, or a crash, the restore can be run again.
[[nodiscard]] Result<RestoreReport> RestoreStore(const RestoreOptions& options);

// The same for a log that was brought back by other means and that no store has been opened on
// since: verifies it and begins the lineage.
[[nodiscard]] Result<RestoreReport> BeginLineage(EventLog& log, const Clock& clock,
                                                 bool accept_clock);

// kInvalidArgument when a restore into `directory` was begun and not finished.
[[nodiscard]] Status CheckNoUnfinishedRestore(const std::filesystem::path& directory);

}  // namespace sagalog
