#include "tools/bench_process.h"

#include <malloc.h>

#include <fstream>
#include <string>

namespace sagalog::tools {

double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void ForgetPeak() {
  ::malloc_trim(0);
  // proc(5): 5 sets VmHWM back to what is resident now.
  std::ofstream("/proc/self/clear_refs") << "5";
}

std::uint64_t PeakBytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == "VmHWM:") {
      std::uint64_t kibibytes = 0;
      status >> kibibytes;
      return kibibytes * 1024;
    }
  }
  return 0;
}

}  // namespace sagalog::tools
