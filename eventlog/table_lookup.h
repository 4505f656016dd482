// Finds one event in the table file that holds it. Shows RocksDB types: for eventlog/ only.
#pragma once

#include <string>

#include <rocksdb/db.h>

#include "schema/id.h"
#include "schema/status.h"

namespace sagalog {

// The bytes of `sequence` from a table whose range it is in, past those that are damaged: RocksDB's
// own reads may ask other tables first and fail with their damage. Of an event that was replaced,
// either is right. Slow; kNotFound when no table has the event, else the first error.
[[nodiscard]] Result<std::string> FindInTables(rocksdb::DB& db, Sequence sequence);

// The first entry of one table, as above: whether the table can be opened and begins as it should.
[[nodiscard]] Status CheckTable(const rocksdb::LiveFileMetaData& file);

}  // namespace sagalog
