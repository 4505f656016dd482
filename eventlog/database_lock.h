// Which of RocksDB's errors say that somebody else has a database open.
#pragma once

#include <string_view>

namespace sagalog {

// A LOCK file that may not be opened is a matter of its owner or its disk, and waiting helps
// nobody: only a lock that is taken is one.
[[nodiscard]] inline bool SaysTaken(std::string_view rocksdb_error) {
  return rocksdb_error.find("While lock file:") != std::string_view::npos ||
         rocksdb_error.find("lock hold by current process") != std::string_view::npos;
}

}  // namespace sagalog
