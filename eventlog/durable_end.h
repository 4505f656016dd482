// The last durable sequence of a log, and those who wait for more.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "schema/id.h"

namespace sagalog {

// Thread-safe.
class DurableEnd {
 public:
  [[nodiscard]] Sequence Last() const { return Sequence(last_.load(std::memory_order_acquire)); }

  // Wakes everybody who waits for something beyond what was there before.
  void Advance(Sequence last);

  // True once Last() > `seen`; false after Close(), or when `patience` is over.
  [[nodiscard]] bool WaitBeyond(Sequence seen, std::chrono::milliseconds patience) const;

  // Wakes everybody; nobody waits from here on.
  void Close();

 private:
  std::atomic<std::uint64_t> last_{0};
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool closed_ = false;  // guarded by mutex_
};

}  // namespace sagalog
