// RocksDB's file system with the faults of a DiskFaults. Shows RocksDB types: for eventlog/ only.
#pragma once

#include <memory>

#include <rocksdb/file_system.h>

#include "eventlog/disk_faults.h"

namespace sagalog {

// `faults` is borrowed and must outlive every file.
[[nodiscard]] std::shared_ptr<rocksdb::FileSystem> MakeFaultyFileSystem(DiskFaults& faults);

}  // namespace sagalog
