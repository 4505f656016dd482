// What RocksDB alone does on this machine: the yardstick of `sagalog bench`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "schema/status.h"

namespace sagalog {

struct RawWrites {
  std::uint64_t values = 0;        // how many to write
  std::uint64_t batch_values = 1;  // how many in each synced batch
  std::string_view value;          // what each of them is
};

// Seconds that writing takes: sequential 8-byte keys, one synced WriteBatch after the other, into
// a new database in `directory` (removed afterwards) with RocksDB's default options and no
// compression, like the log's.
[[nodiscard]] Result<double> TimeRawWrites(const std::filesystem::path& directory,
                                           const RawWrites& writes);

// One synced Put after the other; the median of their durations in microseconds.
[[nodiscard]] Result<double> MedianRawPut(const std::filesystem::path& directory,
                                          std::uint64_t puts, std::string_view value);

struct RawScan {
  double seconds = 0;
  std::uint64_t values = 0;
  std::uint64_t bytes = 0;
};

// Reads the log's database from end to end with block checksums and the FlatBuffers verifier on
// each value, and nothing else. `log_database` is the `log` folder of a data directory that
// nobody writes to.
[[nodiscard]] Result<RawScan> TimeRawVerifiedScan(const std::filesystem::path& log_database);

}  // namespace sagalog
