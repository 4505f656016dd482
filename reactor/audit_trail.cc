#include "reactor/audit_trail.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "eventlog/data_directory.h"

namespace sagalog {
namespace {

// What the thread hashes before it looks whether somebody else wants the tree: a few milliseconds.
constexpr std::uint64_t kEventsAtOnce = 4096;
// It lets events gather: an append that nobody waits for wakes nobody. Where many come, it looks
// again before the log has forgotten how they were appended (eventlog/recent_events.h).
constexpr std::chrono::milliseconds kRest{100};
constexpr std::chrono::milliseconds kShortRest{10};
constexpr std::uint64_t kManyEvents = 256;
// How soon it sees that it is to end.
constexpr std::chrono::milliseconds kWatchPatience{250};

// Those that are kept in this process. What asks for one knows a store and its log, and need not be
// told by everything in between.
class Trails {
 public:
  void Add(const EventLog* log, AuditTrail* trail) {
    const std::lock_guard lock(mutex_);
    by_log_[log] = trail;
  }
  void Remove(const EventLog* log) {
    const std::lock_guard lock(mutex_);
    by_log_.erase(log);
  }
  [[nodiscard]] AuditTrail* Find(const EventLog* log) {
    const std::lock_guard lock(mutex_);
    const auto found = by_log_.find(log);
    return found == by_log_.end() ? nullptr : found->second;
  }

 private:
  std::mutex mutex_;
  std::map<const EventLog*, AuditTrail*> by_log_;  // guarded by mutex_
};

Trails& AllTrails() {
  static Trails trails;
  return trails;
}

}  // namespace

AuditTrail::AuditTrail(const EventLog& log, const std::filesystem::path& data_directory)
    : log_(log),
      directory_(data_directory / kProjectionsDirectoryName / kAuditTreeDirectoryName),
      keys_(data_directory) {}

Result<std::unique_ptr<AuditTrail>> AuditTrail::Open(const EventLog& log,
                                                     const std::filesystem::path& data_directory) {
  std::unique_ptr<AuditTrail> trail(new AuditTrail(log, data_directory));
  ASSIGN_OR_RETURN(trail->tree_, AuditTree::Open(log, trail->directory_, AuditTree::Mode::kKeep));
  trail->size_ = trail->tree_->size();
  AllTrails().Add(&log, trail.get());
  trail->thread_ = std::thread([raw = trail.get()] { raw->Loop(); });
  return trail;
}

AuditTrail* AuditTrail::Of(const EventLog& log) { return AllTrails().Find(&log); }

AuditTrail::~AuditTrail() {
  if (thread_.joinable()) {
    AllTrails().Remove(&log_);
  }
  Stop();
}

void AuditTrail::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

std::uint64_t AuditTrail::Lag() const {
  const std::uint64_t hashed = size();
  return log_.Last().value() - std::min(hashed, log_.Last().value());
}

void AuditTrail::Loop() {
  const auto is_stopping = [this] { return stopping_; };
  std::unique_lock lock(mutex_);
  std::uint64_t rested_at = size();
  while (!stopping_) {
    if (Lag() == 0) {
      const bool many = size() - std::min(rested_at, size()) >= kManyEvents;
      rested_at = size();
      lock.unlock();
      static_cast<void>(log_.WaitBeyond(Sequence(rested_at), kWatchPatience));
      lock.lock();
      changed_.wait_for(lock, many ? kShortRest : kRest, is_stopping);
      continue;
    }
    // With damage in the log nothing more is hashed; whoever asks is told.
    if (!Advance(kEventsAtOnce).ok() || waiting_ > 0) {
      changed_.wait_for(lock, kRest, is_stopping);
    }
  }
}

Status AuditTrail::Advance(std::uint64_t events_max) {
  const Status advanced = tree_->Advance(events_max);
  if (!advanced.ok() && log_.Health().ok()) {
    // The files are damaged or were taken away: they are made again.
    tree_.reset();
    auto anew = AuditTree::Open(log_, directory_, AuditTree::Mode::kKeep);
    if (!anew.ok()) {
      anew = AuditTree::Open(log_, {}, AuditTree::Mode::kReadOnly);
    }
    RETURN_IF_ERROR(anew.status());
    tree_ = *std::move(anew);
    if (advanced.code() == Code::kCorruption) {
      RETURN_IF_ERROR(tree_->Clear());
    }
  }
  size_ = tree_->size();
  return advanced;
}

template <typename T>
Result<T> AuditTrail::WithTree(const std::function<Result<T>(const AuditTree& tree)>& work) {
  ++waiting_;
  const std::lock_guard lock(mutex_);
  --waiting_;
  const Sequence last = log_.Last();
  bool mended = false;
  while (tree_->size() < last.value()) {
    const Status advanced = Advance(last.value() - tree_->size());
    if (!advanced.ok() && std::exchange(mended, true)) {
      return advanced;
    }
  }
  Result<T> done = work(*tree_);
  if (!done.ok() && done.status().code() == Code::kCorruption && log_.Health().ok()) {
    // Perhaps only a file of the tree is damaged: asked again, it is whole.
    RETURN_IF_ERROR(tree_->Clear());
    RETURN_IF_ERROR(tree_->CatchUp(last));
    done = work(*tree_);
  }
  return done;
}

Result<std::string> AuditTrail::TakeCheckpoint() {
  return WithTree<std::string>(
      [this](const AuditTree& tree) { return keys_.Sign(tree, tree.size()); });
}

Result<EventProof> AuditTrail::Prove(Sequence sequence) {
  return WithTree<EventProof>(
      [&](const AuditTree& tree) { return ProveEvent(tree, log_, keys_, sequence); });
}

Result<GrowthProof> AuditTrail::ProveFrom(std::uint64_t size) {
  return WithTree<GrowthProof>(
      [&](const AuditTree& tree) { return ProveGrowth(tree, keys_, size); });
}

}  // namespace sagalog
