// Copies of the log's database. Shows RocksDB types: for eventlog/ only.
#pragma once

#include <rocksdb/db.h>

#include "eventlog/disk_faults.h"
#include "eventlog/log_maintenance.h"
#include "schema/id.h"
#include "schema/status.h"

namespace sagalog {

// LogMaintenance::Backup, of a database that may be written meanwhile. `last` was durable before.
[[nodiscard]] Result<LogBackup> BackUpDatabase(rocksdb::DB& db, Sequence last,
                                               const LogBackupOptions& options, DiskFaults* faults);

}  // namespace sagalog
