// The error after which a log takes no more writes.
#pragma once

#include <atomic>
#include <mutex>
#include <utility>

#include "schema/status.h"

namespace sagalog {

// Holds the first error it was given, for ever: after a failed write the tail on disk is unknown,
// and a second attempt could put an event behind a hole. RocksDB would go on by itself.
//
// Thread-safe.
class PoisonLatch {
 public:
  // Keeps `error` if it is the first one.
  void Poison(Status error) {
    const std::lock_guard lock(mutex_);
    if (first_.ok()) {
      first_ = std::move(error);
      poisoned_.store(true, std::memory_order_release);
    }
  }

  // The first error, or OK.
  [[nodiscard]] Status Health() const {
    if (!poisoned_.load(std::memory_order_acquire)) {
      return {};
    }
    const std::lock_guard lock(mutex_);
    return first_;
  }

  // OK, or kReadOnly with the first error.
  [[nodiscard]] Status Writable() const {
    const Status health = Health();
    if (health.ok()) {
      return {};
    }
    return {Code::kReadOnly, "the log takes no more events since an error: " + health.text()};
  }

 private:
  std::atomic<bool> poisoned_{false};
  mutable std::mutex mutex_;
  Status first_;  // guarded by mutex_
};

}  // namespace sagalog
