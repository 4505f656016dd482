// Takes checkpoints of a running store, without stalling its commands.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <thread>

#include "reactor/checkpoint_due.h"
#include "reactor/decider.h"
#include "reactor/sequencer.h"

namespace sagalog {

// One slice of a checkpoint holds the turn this long at most.
inline constexpr std::chrono::microseconds kCheckpointSliceMax{400};
// Sagas serialised between two looks at the clock.
inline constexpr std::size_t kCheckpointSagasAtOnce = 16;

// A thread that takes a checkpoint when one is due. Thread-safe.
class CheckpointKeeper {
 public:
  // All are borrowed and outlive the keeper.
  CheckpointKeeper(Sequencer& sequencer, LiveState& state, CheckpointDue& due);
  ~CheckpointKeeper();

  // Takes one now, on this thread; after the one under way, if one is. Its sequence.
  [[nodiscard]] Result<Sequence> Take();

  // Calls `work` while no checkpoint is under way, and keeps further ones off until it returns.
  template <typename Work>
  auto Exclude(const Work& work) {
    const std::lock_guard lock(taking_mutex_);
    return work();
  }
  // Within Exclude.
  [[nodiscard]] Result<Sequence> TakeExcluded();

  // Ends the thread. Idempotent.
  void Stop();

 private:
  void Loop();
  Status SerializeAll(std::uint64_t generation);
  Status RunInTurn(TurnFunction::Function function);

  Sequencer& sequencer_;
  LiveState& state_;
  CheckpointDue& due_;
  std::mutex taking_mutex_;  // held while a checkpoint is taken
  std::thread thread_;
};

}  // namespace sagalog
