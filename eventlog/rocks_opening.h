// Opens the log's RocksDB database, for writing or to see what is left of it.
// Shows RocksDB types: for eventlog/ only.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/listener.h>

#include "eventlog/log_opening.h"
#include "eventlog/replay_check.h"
#include "eventlog/rocks_log.h"

namespace sagalog {

// One open database and what it borrows; the database goes first.
struct RocksHandle {
  std::unique_ptr<rocksdb::Env> env;
  std::unique_ptr<ReplayCheck> replay;
  std::unique_ptr<rocksdb::DB> db;
};

struct OpenedForWriting {
  RocksHandle handle;
  Sequence last;
};

struct OpenedForReading {
  RocksHandle handle;
  Sequence last;
  std::optional<Damage> damage;
};

// Where the parts of a log are in the data directory.
[[nodiscard]] std::filesystem::path DatabasePath(const std::filesystem::path& directory);
[[nodiscard]] std::filesystem::path HeadPath(const std::filesystem::path& directory);

// kOk, kCorruption, kLocked or kIoError, with RocksDB's words behind `what`.
[[nodiscard]] Status FromRocks(const rocksdb::Status& status, std::string_view what);

enum class LogEnd {
  kWhole,
  kTorn,  // the last write was never finished and never acknowledged: to be dropped
};

// Looks at the log before it is opened for writing, and writes nothing. kCorruption, naming the
// first event that is damaged or lost, when it must not be.
[[nodiscard]] Result<LogEnd> InspectBeforeWriting(const std::filesystem::path& directory,
                                                  const RocksLogOptions& options);

// Opens or creates the database after that. All that is in it is durable afterwards.
[[nodiscard]] Result<OpenedForWriting> OpenDatabaseForWriting(
    const std::filesystem::path& directory, const RocksLogOptions& options, LogEnd end,
    std::shared_ptr<rocksdb::EventListener> listener);

// Opens what can be read and says where damage begins, if there is any. Writes nothing.
// kCorruption when not even the database's own list of files can be read.
[[nodiscard]] Result<OpenedForReading> OpenDatabaseForReading(
    const std::filesystem::path& directory, const RocksLogOptions& options);

}  // namespace sagalog
