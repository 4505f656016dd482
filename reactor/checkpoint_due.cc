#include "reactor/checkpoint_due.h"

namespace sagalog {

bool CheckpointDue::IsEnough() const {
  return applied_.load(std::memory_order_relaxed) >=
         checkpoint_.load(std::memory_order_relaxed) + events_;
}

void CheckpointDue::Applied(Sequence last) {
  applied_.store(last.value(), std::memory_order_relaxed);
  if (!IsEnough() || told_.exchange(true, std::memory_order_relaxed)) {
    return;
  }
  { const std::lock_guard lock(mutex_); }
  changed_.notify_all();
}

void CheckpointDue::Taken(Sequence checkpoint) {
  checkpoint_.store(checkpoint.value(), std::memory_order_relaxed);
  told_.store(false, std::memory_order_relaxed);
}

void CheckpointDue::Postpone() {
  const std::lock_guard lock(mutex_);
  postponed_ = true;
}

bool CheckpointDue::Wait() {
  std::unique_lock lock(mutex_);
  do {
    const bool postponed = postponed_;
    changed_.wait_for(lock, interval_, [&] { return stopped_ || (!postponed && IsEnough()); });
    postponed_ = false;
  } while (!stopped_ &&
           applied_.load(std::memory_order_relaxed) == checkpoint_.load(std::memory_order_relaxed));
  return !stopped_;
}

void CheckpointDue::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
}

}  // namespace sagalog
