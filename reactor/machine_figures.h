// What this process and its disk use, for /metrics.
#pragma once

#include <cstdint>

namespace sagalog {

class Store;

// Zero where the machine does not say.
struct ProcessFigures {
  double cpu_seconds = 0;
  std::uint64_t resident_bytes = 0;
  std::uint64_t open_descriptors = 0;
  std::uint64_t descriptors_max = 0;
};
[[nodiscard]] ProcessFigures ReadProcess();

struct DiskFigures {
  std::uint64_t used_bytes = 0;  // by the files of the data directory
  std::uint64_t free_bytes = 0;  // for this user, on its file system
};
[[nodiscard]] DiskFigures ReadDisk(Store& store);

}  // namespace sagalog
