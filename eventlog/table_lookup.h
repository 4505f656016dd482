// Finds one event in the table file that holds it. Shows RocksDB types: for eventlog/ only.
#pragma once

#include <string>

#include <rocksdb/db.h>

#include "schema/id.h"
#include "schema/status.h"

namespace sagalog {

// The bytes of `sequence` from the one table whose range it is in, past all others: RocksDB's own
// reads may ask other tables first and fail with their damage. Slow; kNotFound when no table has
// the event, else the error of that table.
[[nodiscard]] Result<std::string> FindInTables(rocksdb::DB& db, Sequence sequence);

// The first entry of one table, as above: whether the table can be opened and begins as it should.
[[nodiscard]] Status CheckTable(const rocksdb::LiveFileMetaData& file);

}  // namespace sagalog
