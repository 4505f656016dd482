#include "reactor/checkpoint_keeper.h"

#include <utility>

namespace sagalog {

using SteadyClock = std::chrono::steady_clock;

CheckpointKeeper::CheckpointKeeper(Sequencer& sequencer, LiveState& state, CheckpointDue& due)
    : sequencer_(sequencer), state_(state), due_(due), thread_([this] { Loop(); }) {}

CheckpointKeeper::~CheckpointKeeper() { Stop(); }

void CheckpointKeeper::Stop() {
  due_.Stop();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void CheckpointKeeper::Loop() {
  while (due_.Wait()) {
    const Result<Sequence> taken = Take();
    if (!taken.ok()) {
      due_.Postpone();  // the log holds everything all the same
    }
  }
}

Result<Sequence> CheckpointKeeper::Take() {
  const std::lock_guard lock(taking_mutex_);
  return TakeExcluded();
}

Result<Sequence> CheckpointKeeper::TakeExcluded() {
  std::uint64_t generation = 0;
  std::uint64_t store_events = 0;
  Sequence sequence;
  // The turn is answered when what it has seen is durable, so the checkpoint's sequence is too.
  RETURN_IF_ERROR(RunInTurn([&](Decider& decider) {
    generation = decider.state().generation();
    decider.state().checkpointer().Begin();
    sequence = decider.state().checkpointer().sequence();
    store_events = StoreEventIndex::CountIn(decider.state().projections().statistics());
  }));
  RETURN_IF_ERROR(SerializeAll(generation));
  ASSIGN_OR_RETURN(const bool committed, state_.CommitCheckpoint(generation));
  if (!committed) {
    return Status(Code::kReadOnly, "a write failed while a checkpoint was taken");
  }
  RETURN_IF_ERROR(RunInTurn([&](Decider& decider) {
    if (decider.state().generation() == generation) {
      decider.state().FinishCheckpoint();
    }
  }));
  due_.Taken(sequence);
  state_.NoteStoreEvents(sequence, store_events);
  return sequence;
}

Status CheckpointKeeper::SerializeAll(std::uint64_t generation) {
  bool done = false;
  bool abandoned = false;
  while (!done) {
    RETURN_IF_ERROR(RunInTurn([&](Decider& decider) {
      abandoned = decider.state().generation() != generation;
      done = abandoned;
      const auto end = SteadyClock::now() + kCheckpointSliceMax;
      while (!done && SteadyClock::now() < end) {
        done = decider.state().checkpointer().Serialize(kCheckpointSagasAtOnce);
      }
    }));
  }
  if (abandoned) {
    return {Code::kReadOnly, "a write failed while a checkpoint was taken"};
  }
  return {};
}

Status CheckpointKeeper::RunInTurn(TurnFunction::Function function) {
  TurnFunction operation(std::move(function), TurnFunction::Kind::kUpkeep);
  RETURN_IF_ERROR(sequencer_.Run(operation));
  return operation.status();
}

}  // namespace sagalog
