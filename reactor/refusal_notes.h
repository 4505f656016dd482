// Refused commands on their way into the log, where they are kept for forensics.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <vector>

#include "schema/answers_generated.h"
#include "schema/commands_generated.h"
#include "schema/events_generated.h"
#include "schema/store_time.h"

namespace sagalog {

// Collects what was refused since the last note: kNotedRefusalsMax of them with their facts, the
// number of those beyond. A note is due a second after the first of them, so that there is at most
// one a second, and a burst is in one. Thread-safe.
class RefusalNotes {
 public:
  // Never fails, and never waits for a turn. A poll of claim_next that found nothing is left out:
  // it would fill the log of a store that has nothing to do.
  void Add(const commands::CommandT& command, const answers::RefusalT& refusal);

  // In every turn: the store's time, which is that of the refusals until the next one.
  void SetTime(StoreTime now);
  [[nodiscard]] bool IsDue(StoreTime now) const;
  [[nodiscard]] bool IsEmpty() const { return first_.load(std::memory_order_acquire) == 0; }
  // What is collected; it is collected no more.
  [[nodiscard]] events::RefusalsNotedT Take();
  // What is collected about one saga, oldest first.
  [[nodiscard]] std::vector<events::NotedRefusalT> About(std::string_view saga) const;

 private:
  std::atomic<std::int64_t> now_{0};
  // The time of the first refusal that is collected; 0 = none is.
  std::atomic<std::int64_t> first_{0};
  mutable std::mutex mutex_;
  std::vector<events::NotedRefusalT> refusals_;  // guarded by mutex_
  std::uint64_t counted_ = 0;                    // guarded by mutex_
};

}  // namespace sagalog
