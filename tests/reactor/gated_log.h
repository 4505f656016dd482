// A log whose appends wait until a test lets them.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "eventlog/event_log.h"

namespace sagalog {

// Counts and holds back the appends of the log it wraps. Thread-safe.
class GatedLog final : public EventLog {
 public:
  explicit GatedLog(std::unique_ptr<EventLog> log) : log_(std::move(log)) {}

  // From here on appends wait before they begin.
  void Shut() {
    const std::lock_guard lock(mutex_);
    shut_ = true;
  }
  void Open() {
    const std::lock_guard lock(mutex_);
    shut_ = false;
    changed_.notify_all();
  }
  // Waits until an append stands before the gate.
  void AwaitWaiting() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_ > 0; });
  }
  // How many events each append had.
  [[nodiscard]] std::vector<std::size_t> appends() const {
    const std::lock_guard lock(mutex_);
    return appends_;
  }

  [[nodiscard]] Sequence Last() const override { return log_->Last(); }
  Status Append(Sequence expected_last, std::span<const std::string_view> events) override {
    {
      std::unique_lock lock(mutex_);
      ++waiting_;
      changed_.notify_all();
      changed_.wait(lock, [this] { return !shut_; });
      --waiting_;
      appends_.push_back(events.size());
    }
    return log_->Append(expected_last, events);
  }
  [[nodiscard]] Status Health() const override { return log_->Health(); }
  [[nodiscard]] Result<StoredEvent> Read(Sequence sequence) const override {
    return log_->Read(sequence);
  }
  Status Scan(Sequence from, Sequence through, const Visitor& visitor) const override {
    return log_->Scan(from, through, visitor);
  }
  [[nodiscard]] bool WaitBeyond(Sequence seen, std::chrono::milliseconds patience) const override {
    return log_->WaitBeyond(seen, patience);
  }
  [[nodiscard]] LogMaintenance* Maintenance() override { return log_->Maintenance(); }
  Status Close() override { return log_->Close(); }

 private:
  std::unique_ptr<EventLog> log_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // All guarded by mutex_.
  bool shut_ = false;
  int waiting_ = 0;
  std::vector<std::size_t> appends_;
};

}  // namespace sagalog
