#include "eventlog/durable_end.h"

namespace sagalog {

void DurableEnd::Advance(Sequence last) {
  {
    // Under the mutex, so that a waiter cannot miss it between looking and falling asleep.
    const std::lock_guard lock(mutex_);
    last_.store(last.value(), std::memory_order_release);
  }
  changed_.notify_all();
}

bool DurableEnd::WaitBeyond(Sequence seen, std::chrono::milliseconds patience) const {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, patience, [&] { return closed_ || Last() > seen; });
  return Last() > seen;
}

void DurableEnd::Close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
}

}  // namespace sagalog
