#include "reactor/spare_time.h"

#include <sys/resource.h>
#include <unistd.h>

#include <ctime>

namespace sagalog {
namespace {

// Beside one that is busy at the usual priority this is about a thirtieth of a processor.
constexpr int kLowerBy = 15;

}  // namespace

// Linux keeps this by thread. Lowering is never refused, and ends at the lowest there is.
void WorkInSpareTime() {
  const auto thread = static_cast<id_t>(gettid());
  static_cast<void>(
      setpriority(PRIO_PROCESS, thread, getpriority(PRIO_PROCESS, thread) + kLowerBy));
}

std::chrono::nanoseconds ThreadTime() {
  timespec taken{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &taken);
  return std::chrono::seconds(taken.tv_sec) + std::chrono::nanoseconds(taken.tv_nsec);
}

}  // namespace sagalog
