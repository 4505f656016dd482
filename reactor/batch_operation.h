// Several commands on their way through the store together.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "reactor/command_operation.h"

namespace sagalog {

// Commands in their order, each with its look-ups made. Atomic: all of them in one append, or none.
// Otherwise each by itself; as many as fit are decided in one turn, and the operation wants another
// turn for the others.
class BatchOperation final : public StoreOperation {
 public:
  BatchOperation(std::vector<std::unique_ptr<CommandOperation>> batch_commands, bool all_or_none)
      : commands(std::move(batch_commands)), atomic(all_or_none) {}

  bool RunWith(Decider& decider, Batch& batch) override;
  // Every command that was decided in the last turn, or in none, becomes a refusal.
  bool Undo(const Status& why) override;

  // Nothing is left to decide.
  [[nodiscard]] bool IsFinished() const { return next == commands.size() || refused.has_value(); }

  const std::vector<std::unique_ptr<CommandOperation>> commands;
  const bool atomic;

  // Set by the turns. The first command that is not decided, and the first of the last turn.
  std::size_t next = 0;
  std::size_t turn_begin = 0;
  // Of an atomic batch: the command that was refused, and all others with it.
  std::optional<std::size_t> refused;
};

}  // namespace sagalog
