#include "reactor/batch_operation.h"

#include "reactor/batch.h"
#include "reactor/decider.h"

namespace sagalog {

bool BatchOperation::RunWith(Decider& decider, Batch& batch) {
  turn_begin = next;
  return atomic ? decider.DecideAllOrNone(*this, batch) : decider.DecideEach(*this, batch);
}

bool BatchOperation::Undo(const Status& why) {
  for (std::size_t i = turn_begin; i < commands.size(); ++i) {
    static_cast<void>(commands[i]->Undo(why));
  }
  if (atomic) {
    refused = refused.value_or(0);
  }
  next = commands.size();
  return false;
}

// One turn has to do, so what a cascade finds that it needs is looked up in the turn.
bool Decider::DecideOfBatch(CommandOperation& command, Batch& batch) {
  bool fits = Decide(command, batch);
  while (command.needs_look_up) {
    *command.lookups = state_.LookUp(command.command, command.wanted);
    fits = Decide(command, batch);
  }
  return fits;
}

bool Decider::DecideEach(BatchOperation& operation, Batch& batch) {
  while (operation.next < operation.commands.size()) {
    CommandOperation& command = *operation.commands[operation.next];
    // One that was refused before the turn has its answer.
    if (!command.refusal && !DecideOfBatch(command, batch)) {
      // Nothing of this turn is lost: the others get the next one.
      return operation.next > operation.turn_begin;
    }
    if (!turn_health_.ok()) {
      return true;
    }
    ++operation.next;
  }
  return true;
}

bool Decider::DecideAllOrNone(BatchOperation& operation, Batch& batch) {
  const std::size_t first = batch.CountEvents();
  state_.projections().BeginTrial();
  bool fits = true;
  operation.next = 0;
  while (fits && operation.next < operation.commands.size()) {
    CommandOperation& command = *operation.commands[operation.next];
    fits = DecideOfBatch(command, batch);
    if (!turn_health_.ok()) {
      return true;  // the projections are folded again, and the trial goes with them
    }
    if (!fits || command.refusal) {
      break;
    }
    ++operation.next;
  }
  if (operation.next == operation.commands.size()) {
    state_.projections().KeepTrial();
    return true;
  }
  state_.projections().RollBack();
  batch.Shrink(first);
  if (!fits && first > 0) {
    operation.next = 0;
    return false;
  }
  CommandOperation& refused = *operation.commands[operation.next];
  if (!fits) {
    RefuseForSize(refused, schema::RefusalCode::limit_reached, kBatchBytesMax, kBatchBytesMax,
                  "the commands up to this one are more than fit one append");
  }
  operation.refused = operation.next;
  return true;
}

}  // namespace sagalog
