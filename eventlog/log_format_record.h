// The record that says which format the log has. Shows RocksDB types: for eventlog/ only.
#pragma once

#include <rocksdb/db.h>

#include "schema/id.h"
#include "schema/status.h"

namespace sagalog {

// OK for a format this program reads, kUnsupportedVersion for a newer one, kNotFound where there is
// no record, kCorruption for what is none.
[[nodiscard]] Status CheckFormatRecord(rocksdb::DB& db);

// The same, and writes the record into a log that has no events yet.
[[nodiscard]] Status CheckOrWriteFormatRecord(rocksdb::DB& db, Sequence last);

}  // namespace sagalog
