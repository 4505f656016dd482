// Something that wants a turn of the sequencer.
#pragma once

#include <atomic>
#include <cstdint>

#include "schema/status.h"

namespace sagalog {

class TurnWork;

// Owned by whoever submits it, and left alone by them until it is answered.
class QueuedOperation {
 public:
  QueuedOperation() = default;
  QueuedOperation(const QueuedOperation&) = delete;
  QueuedOperation& operator=(const QueuedOperation&) = delete;
  virtual ~QueuedOperation() = default;

  // What it was decided on never became durable, or the sequencer could not take it. True when it
  // wants another turn instead of an answer.
  [[nodiscard]] virtual bool Undo(const Status& why) = 0;

  // Answered: called on the completion thread, for operations that were submitted. The last call
  // of the sequencer; it may delete the operation or submit it again.
  virtual void Completed() {}

  // Runs only when nothing is being written, alone in its turn.
  [[nodiscard]] virtual bool WantsToBeAlone() const { return false; }

  // Gets its turn soon: may ask for what it will read to be brought into the processor's cache.
  // First from a distance, where only addresses can be computed, then near.
  enum class Distance { kFar, kNear };
  virtual void Anticipate(const TurnWork& /*work*/, Distance /*distance*/) const {}

  // Is queued also when the queue is full: the store's own upkeep, of which there is little.
  [[nodiscard]] virtual bool IsUpkeep() const { return false; }

 private:
  friend class Sequencer;

  // Somebody blocks on it; else Completed is called.
  bool awaited_ = false;
  std::atomic<std::uint32_t> done_{0};
};

}  // namespace sagalog
