// What is done to keep a log safe and small.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "eventlog/histogram.h"
#include "schema/id.h"
#include "schema/status.h"

namespace sagalog {

// One backup, whole and verified.
struct LogBackup {
  // The directory that holds it: a data directory in which only the log is.
  std::filesystem::path path;
  // Its last event.
  Sequence last;
  std::uint64_t size_bytes = 0;
  // Of those, what was copied; the rest it shares with the backup before it.
  std::uint64_t copied_bytes = 0;
};

struct LogBackupOptions {
  // Where backups are kept: an empty directory, none yet, or one with earlier backups of this log.
  std::filesystem::path directory;
  // Whose log it is; a directory with backups of another one's is refused.
  std::string origin;
  // How many backups stay there; older ones are removed once the new one is whole.
  std::size_t keep = 1;
};

// Beside EventLog and not in it: an engine that replicates the log keeps it in its own ways.
//
// Thread-safe; appends and reads go on meanwhile. Everything but Backup gives kReadOnly and does
// nothing when the log is poisoned, closed or open for reading.
class LogMaintenance {
 public:
  virtual ~LogMaintenance() = default;

  // How its appends went; null = it does not count them.
  [[nodiscard]] virtual const AppendFigures* Figures() const { return nullptr; }

  // Puts each of `events` in the place of the durable event with its sequence. Readers see the new
  // one from here on; after a crash, until Settle, the old one may be back. So the new one must say
  // the same to whoever folds it.
  virtual Status Replace(std::span<const std::string_view> events) = 0;

  // Makes what was replaced durable.
  virtual Status Settle() = 0;

  // Gives the space back that the events `from` to `through` took before they were replaced: then
  // no file of the log holds the old ones. Takes long where it is a long stretch.
  virtual Status ReclaimSpace(Sequence from, Sequence through) = 0;

  // Copies the log as it is and verifies the copy, event by event. Holds all that was durable when
  // it began. On an error nothing new is there and earlier backups are as they were.
  // kInvalidArgument when the directory is something else, or when this log cannot be copied.
  virtual Result<LogBackup> Backup(const LogBackupOptions& options) = 0;
};

}  // namespace sagalog
