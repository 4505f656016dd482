// When the files that a database no longer needs are gone. Shows RocksDB types: for what keeps a
// database, in eventlog/ and projections/.
#pragma once

#include <rocksdb/db.h>

namespace sagalog {

// Returns once every file that was no longer needed when it was called is removed: a merge leaves
// the removing of its inputs to threads of RocksDB. Thread-safe; fails with RocksDB's reason.
[[nodiscard]] rocksdb::Status WaitForFileRemovals(rocksdb::DB& db);

}  // namespace sagalog
