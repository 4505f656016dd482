// One operation after the other: the queue before the rules, the write after them.
//
// An operation's way: a caller that finds everything idle takes the turn and decides, writes and
// is answered on its own thread. Else the operation is queued; the sequencer thread takes the
// whole queue, decides it in one turn as one batch, and, while the writer thread is still busy
// with the batch before, waits for it. At most one batch is in flight and one built. Answers of
// all kinds are given when the batch they were decided in is durable.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "eventlog/event_log.h"
#include "reactor/batch.h"
#include "reactor/queued_operation.h"

namespace sagalog {

// What happens in a turn. Called by one thread at a time, never by two at once.
class TurnWork {
 public:
  virtual ~TurnWork() = default;
  // A turn begins, or goes on with what has come meanwhile; what time itself makes happen goes into
  // the batch. `writing_since`: the boot time of the turn whose batch is being written, if one is.
  virtual void BeginTurn(Batch& batch, std::optional<Duration> writing_since) = 0;
  // Decides the operation and applies its events, or runs its function. False when its events find
  // no room in a batch that is not empty: then nothing happened, and it gets the next turn.
  [[nodiscard]] virtual bool RunInTurn(QueuedOperation& operation, Batch& batch) = 0;
  // An append failed, or an event could not be applied: drops all that is applied and folds again
  // what is durable.
  virtual void FoldAgain(const Status& why) = 0;
  // The sequence of the last event applied.
  [[nodiscard]] virtual Sequence Applied() const = 0;
  // OK unless an event could not be applied in this turn. The batch is then not written.
  [[nodiscard]] virtual Status TurnHealth() const = 0;
};

// Thread-safe.
class Sequencer {
 public:
  // Both are borrowed. With `tick`, an idle sequencer takes an empty turn so often.
  Sequencer(EventLog& log, TurnWork& work, std::optional<std::chrono::milliseconds> tick);
  ~Sequencer();
  Sequencer(const Sequencer&) = delete;
  Sequencer& operator=(const Sequencer&) = delete;

  // Returns when the operation is answered. kOverloaded when kQueuedOperationsMax are waiting, and
  // kCancelled after Stop: then it got no turn. Not from the completion thread.
  Status Run(QueuedOperation& operation);
  // The same without waiting: ends in Completed, on the completion thread. An operation that
  // cannot be queued is told so by Undo.
  void Submit(QueuedOperation& operation);
  // An operation that gets no turn: to Completed, on the completion thread.
  void Complete(QueuedOperation& operation);
  // Whether the next operation would find the queue full.
  [[nodiscard]] bool IsOverloaded() const;
  // How many operations wait for their turn.
  [[nodiscard]] std::size_t Waiting() const { return waiting_.load(std::memory_order_relaxed); }

  // Answers what is queued, refuses what comes after, and ends the threads. Idempotent. Not from
  // the completion thread.
  void Stop();

  // OK, or the first error of an append.
  [[nodiscard]] Status Failure() const;

 private:
  using Operations = std::vector<QueuedOperation*>;
  using Lock = std::unique_lock<std::mutex>;

  Status Push(QueuedOperation& operation);
  [[nodiscard]] bool HasQueued() const { return has_queued_.load(std::memory_order_acquire); }
  [[nodiscard]] bool HasTaken() const { return next_taken_ < taken_.size(); }

  // The way of a caller that finds everything idle.
  [[nodiscard]] bool TakeIdleTurn();
  [[nodiscard]] bool RunOnThisThread(QueuedOperation& operation);

  // The sequencer thread. Functions that take a lock are called with it held and return with it
  // held.
  void SequenceLoop();
  [[nodiscard]] bool WaitForWork(Lock& lock);
  [[nodiscard]] bool HasWork() const;
  void TakeQueue();
  void RunRound(Lock& lock);
  void DecideMoreWhileWriting(Batch& batch, Lock& lock);
  void DecideTaken(Batch& batch);
  void Anticipate() const;
  void SendToLog(Batch& batch, Lock& lock);
  void WaitForSlot(Lock& lock);
  void FoldAgain(Lock& lock);

  // The writer thread, or whoever else writes.
  void WriteLoop();
  void Write(Batch& batch, Lock& lock);
  void Fail(const Status& why);
  void UpdateBusy();

  void CompleteLoop();
  void GiveBack(Operations& operations, const Status& why);
  void Answer(QueuedOperation& operation);
  void AnswerAll(Operations& operations);
  void HandOverSubmitted(Operations& operations);
  static void WakeAwaited(const Operations& operations);

  EventLog& log_;
  TurnWork& work_;
  const std::optional<std::chrono::milliseconds> tick_;

  // The queue, which the sequencer thread takes whole. Its mutex is held for a few instructions,
  // and may be taken with mutex_ held.
  std::mutex queue_mutex_;
  Operations queue_;     // guarded by queue_mutex_
  bool closed_ = false;  // guarded by queue_mutex_
  std::atomic<bool> has_queued_{false};
  std::atomic<std::size_t> waiting_{0};
  // Told without the lock whether trying to take the idle turn is worth it.
  std::atomic<bool> busy_{false};

  mutable std::mutex mutex_;
  std::condition_variable work_here_;  // for the sequencer thread: work, or the turn is free
  std::condition_variable slot_free_;  // for the sequencer thread: nothing is in flight
  std::condition_variable to_write_;   // for the writer thread
  // Guarded by mutex_.
  bool turn_taken_ = false;
  Batch* in_flight_ = nullptr;
  Batch* handed_over_ = nullptr;
  bool fold_again_ = false;
  std::uint64_t failures_ = 0;
  Status failure_;
  bool stopping_ = false;
  bool writer_stops_ = false;

  // Whoever has the turn.
  Batch lone_batch_;
  // The sequencer thread's: one is built while the other is in flight.
  Batch batches_[2];
  std::size_t next_batch_ = 0;
  Operations taken_;
  std::size_t next_taken_ = 0;

  std::mutex completion_mutex_;
  std::condition_variable completions_here_;
  std::vector<QueuedOperation*> completions_;  // guarded by completion_mutex_
  bool completion_stops_ = false;              // guarded by completion_mutex_

  std::mutex stop_mutex_;
  bool stopped_ = false;  // guarded by stop_mutex_
  std::thread sequencer_thread_;
  std::thread writer_thread_;
  std::thread completion_thread_;
};

}  // namespace sagalog
