// When the files that a database no longer needs are gone.
#pragma once

#include "schema/status.h"

namespace rocksdb {
class DB;
}

namespace sagalog {

// Returns once every file that was no longer needed when it was called is removed: a merge leaves
// the removing of its inputs to threads of RocksDB. Thread-safe; kIoError or kCorruption with
// RocksDB's reason.
[[nodiscard]] Status WaitForFileRemovals(rocksdb::DB& db);

}  // namespace sagalog
