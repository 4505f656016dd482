// Puts events in the place of others in the log's database. Shows RocksDB types: for eventlog/
// only.
#pragma once

#include <atomic>
#include <span>
#include <string_view>

#include <rocksdb/db.h>

#include "schema/id.h"
#include "schema/status.h"

namespace sagalog {

// Without the write-ahead log: what of it is not flushed before a crash is as if it had not been
// replaced. That keeps what recovery knows simple, a write-ahead log of dense new events. Gives way
// to appends when the database is behind with its compactions. kIoError, with how much is missing,
// where the disk has no room for the tables to be written anew.
[[nodiscard]] Status ReplaceEvents(rocksdb::DB& db, std::span<const std::string_view> events);

// Merges the tables with events from `from` to `through`, so that only the newest of each is left,
// and removes the files that are then of no use. Ends early, with kCancelled, when `cancelled`
// becomes true.
[[nodiscard]] Status DropReplaced(rocksdb::DB& db, Sequence from, Sequence through,
                                  std::atomic<bool>& cancelled);

}  // namespace sagalog
