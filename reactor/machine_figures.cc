#include "reactor/machine_figures.h"

#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <system_error>

#include "reactor/store_engine.h"

namespace sagalog {

namespace fs = std::filesystem;

ProcessFigures ReadProcess() {
  ProcessFigures figures;
  rusage used{};
  if (getrusage(RUSAGE_SELF, &used) == 0) {
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    figures.cpu_seconds = seconds(used.ru_utime) + seconds(used.ru_stime);
  }
  std::ifstream statm("/proc/self/statm");
  std::uint64_t whole = 0;
  std::uint64_t resident = 0;
  if (statm >> whole >> resident) {
    figures.resident_bytes = resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  }
  std::error_code error;
  for (auto entry = fs::directory_iterator("/proc/self/fd", error);
       !error && entry != fs::directory_iterator(); entry.increment(error)) {
    ++figures.open_descriptors;
  }
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    figures.descriptors_max = limit.rlim_cur;
  }
  return figures;
}

DiskFigures ReadDisk(Store& store) {
  const fs::path directory = Store::Engine::Of(store).directory();
  DiskFigures figures;
  std::error_code error;
  for (auto entry = fs::recursive_directory_iterator(directory, error);
       !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    std::error_code gone;  // a table that was merged away meanwhile
    const std::uintmax_t size = entry->is_regular_file(gone) ? entry->file_size(gone) : 0;
    figures.used_bytes += gone ? 0 : size;
  }
  struct statvfs disk {};
  if (statvfs(directory.c_str(), &disk) == 0) {
    figures.free_bytes = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
  }
  return figures;
}

}  // namespace sagalog
