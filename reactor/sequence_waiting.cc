#include "reactor/sequence_waiting.h"

#include <atomic>
#include <cstddef>

#include <fmt/format.h>

#include "schema/limits.h"

namespace sagalog {
namespace {

std::atomic<std::size_t> waiters{0};

class Waiter {
 public:
  Waiter() : taken_(waiters.fetch_add(1) < kSequenceWaitersMax) {}
  ~Waiter() { waiters.fetch_sub(1); }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  [[nodiscard]] bool taken() const { return taken_; }

 private:
  bool taken_;
};

}  // namespace

Status AwaitSequence(const EventLog& log, std::uint64_t wanted,
                     std::chrono::milliseconds patience) {
  if (wanted <= log.Last().value()) {
    return {};
  }
  const Waiter waiter;
  if (waiter.taken() && log.WaitBeyond(Sequence(wanted - 1), patience)) {
    return {};
  }
  return {Code::kOverloaded, fmt::format("min_sequence: the store is at {} and not yet at {}",
                                         log.Last().value(), wanted)};
}

}  // namespace sagalog
