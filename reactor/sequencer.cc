#include "reactor/sequencer.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "schema/check.h"
#include "schema/limits.h"

namespace sagalog {
namespace {

// How many operations ahead of its turn one is anticipated: far enough for memory to answer.
constexpr std::size_t kFarAhead = 12;
constexpr std::size_t kAhead = 8;
constexpr std::size_t kNearAhead = 4;
// What of an operation is read first, in lines of the processor's cache.
constexpr std::size_t kOperationLines = 3;
constexpr std::size_t kCacheLineBytes = 64;

// With thousands of operations in memory, whoever goes through them would wait for each.
void BringIntoCache(const QueuedOperation* operation) {
  const auto* bytes = reinterpret_cast<const char*>(operation);
  for (std::size_t line = 0; line < kOperationLines; ++line) {
    __builtin_prefetch(bytes + line * kCacheLineBytes);
  }
}

}  // namespace

Sequencer::Sequencer(EventLog& log, TurnWork& work, std::optional<std::chrono::milliseconds> tick)
    : log_(log), work_(work), tick_(tick) {
  sequencer_thread_ = std::thread([this] { SequenceLoop(); });
  writer_thread_ = std::thread([this] { WriteLoop(); });
  completion_thread_ = std::thread([this] { CompleteLoop(); });
}

Sequencer::~Sequencer() { Stop(); }

void Sequencer::Stop() {
  const std::lock_guard stop_lock(stop_mutex_);
  if (std::exchange(stopped_, true)) {
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_here_.notify_one();
  sequencer_thread_.join();
  {
    Lock lock(mutex_);
    writer_stops_ = true;
    to_write_.notify_one();
    // A caller may still be writing on its own thread.
    slot_free_.wait(lock, [this] { return in_flight_ == nullptr && !turn_taken_; });
  }
  writer_thread_.join();
  {
    const std::lock_guard lock(completion_mutex_);
    completion_stops_ = true;
  }
  completions_here_.notify_one();
  completion_thread_.join();
}

Status Sequencer::Failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

bool Sequencer::IsOverloaded() const {
  return waiting_.load(std::memory_order_relaxed) >= kQueuedOperationsMax;
}

Status Sequencer::Run(QueuedOperation& operation) {
  operation.awaited_ = true;
  operation.done_.store(0, std::memory_order_relaxed);
  if (TakeIdleTurn() && RunOnThisThread(operation)) {
    return Status();
  }
  RETURN_IF_ERROR(Push(operation));
  while (operation.done_.load(std::memory_order_acquire) == 0) {
    operation.done_.wait(0, std::memory_order_acquire);
  }
  return Status();
}

void Sequencer::Submit(QueuedOperation& operation) {
  operation.awaited_ = false;
  if (const Status pushed = Push(operation); !pushed.ok()) {
    CHECK(!operation.Undo(pushed));
    Answer(operation);
  }
}

void Sequencer::Complete(QueuedOperation& operation) {
  operation.awaited_ = false;
  Answer(operation);
}

Status Sequencer::Push(QueuedOperation& operation) {
  if (waiting_.fetch_add(1, std::memory_order_relaxed) >= kQueuedOperationsMax &&
      !operation.IsUpkeep()) {
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    return {Code::kOverloaded,
            fmt::format("{} operations are waiting already", kQueuedOperationsMax)};
  }
  bool was_empty = false;
  {
    const std::lock_guard lock(queue_mutex_);
    if (closed_) {
      waiting_.fetch_sub(1, std::memory_order_relaxed);
      return {Code::kCancelled, "the store is closing"};
    }
    was_empty = queue_.empty();
    queue_.push_back(&operation);
    has_queued_.store(true, std::memory_order_release);
  }
  if (was_empty) {
    // Whoever fills the empty queue wakes the sequencer thread; it looks at the queue with the
    // lock held before it sleeps.
    { const std::lock_guard lock(mutex_); }
    work_here_.notify_one();
  }
  return {};
}

bool Sequencer::TakeIdleTurn() {
  if (busy_.load(std::memory_order_relaxed) || HasQueued()) {
    return false;
  }
  const std::lock_guard lock(mutex_);
  if (turn_taken_ || in_flight_ != nullptr || fold_again_ || stopping_ || HasTaken() ||
      HasQueued()) {
    return false;
  }
  turn_taken_ = true;
  UpdateBusy();
  return true;
}

// False when the operation still wants a turn.
bool Sequencer::RunOnThisThread(QueuedOperation& operation) {
  Batch& batch = lone_batch_;
  batch.Clear(work_.Applied());
  work_.BeginTurn(batch, std::nullopt);
  const bool ran = work_.RunInTurn(operation, batch);
  Status status = work_.TurnHealth();
  const bool writes = status.ok() && batch.CountEvents() > 0;
  {
    const std::lock_guard lock(mutex_);
    turn_taken_ = false;
    if (writes) {
      in_flight_ = &batch;
    } else if (!status.ok()) {
      Fail(status);
    }
    UpdateBusy();
    if (HasQueued() || fold_again_ || stopping_) {
      work_here_.notify_one();
      slot_free_.notify_all();
    }
  }
  if (writes) {
    status = log_.Append(batch.expected_last, batch.Views());
    const std::lock_guard lock(mutex_);
    in_flight_ = nullptr;
    if (!status.ok()) {
      Fail(status);
    }
    UpdateBusy();
    slot_free_.notify_all();
  }
  if (!ran) {
    return false;
  }
  return status.ok() || !operation.Undo(status);
}

void Sequencer::SequenceLoop() {
  Lock lock(mutex_);
  while (WaitForWork(lock)) {
    if (fold_again_) {
      FoldAgain(lock);
    } else {
      RunRound(lock);
    }
  }
}

bool Sequencer::HasWork() const { return fold_again_ || HasTaken() || HasQueued(); }

// Returns with work to do and the turn free, or when an idle sequencer's tick is due. False when
// it stops.
bool Sequencer::WaitForWork(Lock& lock) {
  for (;;) {
    if (!turn_taken_ && HasWork()) {
      return true;
    }
    if (!turn_taken_ && stopping_) {
      const std::lock_guard queue_lock(queue_mutex_);
      if (queue_.empty()) {
        closed_ = true;
        return false;
      }
      continue;
    }
    if (!tick_) {
      work_here_.wait(lock);
    } else if (work_here_.wait_for(lock, *tick_) == std::cv_status::timeout && !turn_taken_ &&
               in_flight_ == nullptr) {
      return true;
    }
  }
}

// All that is queued, oldest first, when what was taken before is decided.
void Sequencer::TakeQueue() {
  taken_.clear();
  next_taken_ = 0;
  const std::lock_guard lock(queue_mutex_);
  taken_.swap(queue_);
  has_queued_.store(false, std::memory_order_relaxed);
}

void Sequencer::RunRound(Lock& lock) {
  if (!HasTaken()) {
    TakeQueue();
  }
  if (HasTaken() && taken_[next_taken_]->WantsToBeAlone()) {
    WaitForSlot(lock);
    if (fold_again_) {
      return;
    }
  }
  Batch& batch = batches_[next_batch_];
  next_batch_ = 1 - next_batch_;
  turn_taken_ = true;
  UpdateBusy();
  std::optional<Duration> writing_since;
  if (in_flight_ != nullptr) {
    writing_since = in_flight_->decided_at;
  }
  const std::uint64_t failures_before = failures_;

  lock.unlock();
  batch.Clear(work_.Applied());
  work_.BeginTurn(batch, writing_since);
  DecideTaken(batch);
  const Status health = work_.TurnHealth();
  lock.lock();

  if (failures_ == failures_before && !health.ok()) {
    Fail(health);
  }
  if (failures_ == failures_before) {
    DecideMoreWhileWriting(batch, lock);
    WaitForSlot(lock);
  }
  // Not before the slot is free: a caller that took the turn in between would decide on what this
  // batch has applied, and append before it.
  turn_taken_ = false;
  if (failures_ == failures_before) {
    SendToLog(batch, lock);
  } else {
    const Status why = failure_;
    lock.unlock();
    GiveBack(batch.operations, why);
    lock.lock();
  }
  UpdateBusy();
}

// While the batch before is being written, what has come meanwhile joins this one.
void Sequencer::DecideMoreWhileWriting(Batch& batch, Lock& lock) {
  const std::uint64_t failures_before = failures_;
  while (in_flight_ != nullptr && failures_ == failures_before && !fold_again_) {
    if (!HasTaken()) {
      TakeQueue();
    }
    if (!HasTaken() || taken_[next_taken_]->WantsToBeAlone() ||
        batch.operations.size() >= kBatchEventsMax) {
      return;
    }
    const Duration writing_since = in_flight_->decided_at;
    const std::size_t next_before = next_taken_;
    lock.unlock();
    work_.BeginTurn(batch, writing_since);
    DecideTaken(batch);
    const Status health = work_.TurnHealth();
    lock.lock();
    if (!health.ok()) {
      Fail(health);
    }
    if (next_taken_ == next_before) {
      return;  // the batch has no room
    }
  }
}

// Decides what was taken, until the batch is full or an operation wants to be alone.
void Sequencer::DecideTaken(Batch& batch) {
  std::size_t decided = 0;
  while (HasTaken() && batch.operations.size() < kBatchEventsMax) {
    Anticipate();
    QueuedOperation& operation = *taken_[next_taken_];
    const bool alone = operation.WantsToBeAlone();
    if ((alone && !batch.operations.empty()) || !work_.RunInTurn(operation, batch)) {
      break;
    }
    batch.operations.push_back(&operation);
    ++next_taken_;
    ++decided;
    if (alone) {
      break;
    }
  }
  waiting_.fetch_sub(decided, std::memory_order_relaxed);
}

void Sequencer::Anticipate() const {
  const std::size_t left = taken_.size() - next_taken_;
  if (left > kFarAhead) {
    BringIntoCache(taken_[next_taken_ + kFarAhead]);
  }
  if (left > kAhead) {
    taken_[next_taken_ + kAhead]->Anticipate(work_, QueuedOperation::Distance::kFar);
  }
  if (left > kNearAhead) {
    taken_[next_taken_ + kNearAhead]->Anticipate(work_, QueuedOperation::Distance::kNear);
  }
}

// Everything before the batch is durable.
void Sequencer::SendToLog(Batch& batch, Lock& lock) {
  if (batch.CountEvents() == 0) {
    lock.unlock();
    AnswerAll(batch.operations);
    lock.lock();
    return;
  }
  in_flight_ = &batch;
  if (!HasTaken() && !HasQueued()) {
    Write(batch, lock);  // nothing to decide meanwhile: no thread has to be woken
  } else {
    handed_over_ = &batch;
    to_write_.notify_one();
  }
}

void Sequencer::WaitForSlot(Lock& lock) {
  slot_free_.wait(lock, [this] { return in_flight_ == nullptr; });
}

void Sequencer::FoldAgain(Lock& lock) {
  turn_taken_ = true;
  const Status why = failure_;
  WaitForSlot(lock);
  lock.unlock();
  work_.FoldAgain(why);
  lock.lock();
  fold_again_ = false;
  turn_taken_ = false;
  UpdateBusy();
}

void Sequencer::WriteLoop() {
  Lock lock(mutex_);
  for (;;) {
    to_write_.wait(lock, [this] { return handed_over_ != nullptr || writer_stops_; });
    if (handed_over_ == nullptr) {
      return;
    }
    Write(*std::exchange(handed_over_, nullptr), lock);
  }
}

void Sequencer::Write(Batch& batch, Lock& lock) {
  lock.unlock();
  const Status status = log_.Append(batch.expected_last, batch.Views());
  // The batch is built anew as soon as it is no longer in flight.
  thread_local Operations operations;
  operations.clear();
  operations.swap(batch.operations);
  if (status.ok()) {
    HandOverSubmitted(operations);
  }
  lock.lock();
  in_flight_ = nullptr;
  if (!status.ok()) {
    Fail(status);
  }
  UpdateBusy();
  slot_free_.notify_all();
  lock.unlock();
  if (status.ok()) {
    WakeAwaited(operations);
  } else {
    GiveBack(operations, status);
  }
  lock.lock();
}

// With the lock held.
void Sequencer::Fail(const Status& why) {
  if (failure_.ok()) {
    failure_ = why;
  }
  ++failures_;
  fold_again_ = true;
  work_here_.notify_one();
}

// With the lock held.
void Sequencer::UpdateBusy() {
  busy_.store(turn_taken_ || in_flight_ != nullptr || fold_again_, std::memory_order_relaxed);
}

void Sequencer::GiveBack(Operations& operations, const Status& why) {
  for (QueuedOperation* const operation : operations) {
    if (operation->Undo(why)) {
      const Status pushed = Push(*operation);
      if (pushed.ok()) {
        continue;
      }
      CHECK(!operation->Undo(pushed));
    }
    Answer(*operation);
  }
  operations.clear();
}

void Sequencer::Answer(QueuedOperation& operation) {
  Operations one{&operation};
  AnswerAll(one);
}

void Sequencer::AnswerAll(Operations& operations) {
  HandOverSubmitted(operations);
  WakeAwaited(operations);
  operations.clear();
}

// Takes those that nobody blocks on out of `operations` and gives them to the completion thread.
void Sequencer::HandOverSubmitted(Operations& operations) {
  const auto is_awaited = [](const QueuedOperation* one) { return one->awaited_; };
  if (std::all_of(operations.begin(), operations.end(), is_awaited)) {
    return;
  }
  Operations orphans;  // nobody else completes them any more
  {
    const std::lock_guard lock(completion_mutex_);
    Operations& target = completion_stops_ ? orphans : completions_;
    std::size_t awaited = 0;
    for (QueuedOperation* const operation : operations) {
      if (operation->awaited_) {
        operations[awaited++] = operation;
      } else {
        target.push_back(operation);
      }
    }
    operations.resize(awaited);
  }
  completions_here_.notify_one();
  for (QueuedOperation* const operation : orphans) {
    operation->Completed();
  }
}

void Sequencer::WakeAwaited(const Operations& operations) {
  for (QueuedOperation* const operation : operations) {
    // The caller may be gone, and the operation with it, as soon as it sees the mark; waking uses
    // nothing but the address.
    std::atomic<std::uint32_t>& done = operation->done_;
    done.store(1, std::memory_order_release);
    done.notify_one();
  }
}

void Sequencer::CompleteLoop() {
  Operations operations;
  for (;;) {
    {
      Lock lock(completion_mutex_);
      completions_here_.wait(lock, [this] { return !completions_.empty() || completion_stops_; });
      if (completions_.empty()) {
        return;
      }
      operations.swap(completions_);
    }
    for (std::size_t i = 0; i < operations.size(); ++i) {
      if (i + kNearAhead < operations.size()) {
        BringIntoCache(operations[i + kNearAhead]);
      }
      operations[i]->Completed();
    }
    operations.clear();
  }
}

}  // namespace sagalog
