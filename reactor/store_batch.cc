// Several commands at once.
#include <utility>

#include <fmt/format.h>

#include "reactor/batch_operation.h"
#include "reactor/store_engine.h"
#include "schema/limits.h"

namespace sagalog {

BatchReply Store::ExecuteBatch(std::vector<commands::CommandT> batch, bool atomic, bool with_saga) {
  return engine_->RunBatch(std::move(batch), atomic, with_saga);
}

BatchReply Store::Engine::RunBatch(std::vector<commands::CommandT> batch, bool atomic,
                                   bool with_saga) {
  BatchReply reply;
  if (batch.size() > kBatchCommandsMax) {
    reply.refusal.emplace();
    reply.refusal->code = schema::RefusalCode::invalid_argument;
    reply.refusal->detail =
        fmt::format("commands: has {} elements, allowed are {}", batch.size(), kBatchCommandsMax);
    return reply;
  }
  std::vector<std::unique_ptr<CommandOperation>> operations;
  for (commands::CommandT& command : batch) {
    CommandOperation& operation = *operations.emplace_back(std::make_unique<CommandOperation>());
    operation.command = std::move(command);
    operation.with_saga = with_saga;
    const bool prepared = Prepare(operation);
    if (!prepared && atomic) {
      return RefuseBatch(operation, operations.size() - 1);
    }
    // A saga that is planned by the batch itself is in memory only later: one turn has to do.
    if (prepared && !operation.lookups) {
      LookUp(operation);
    }
  }
  BatchOperation operation(std::move(operations), atomic);
  while (!operation.IsFinished()) {
    if (const Status taken = sequencer_->Run(operation); !taken.ok()) {
      static_cast<void>(operation.Undo(taken));
    }
  }
  if (operation.refused) {
    return RefuseBatch(*operation.commands[*operation.refused], *operation.refused);
  }
  for (const auto& command : operation.commands) {
    reply.answers.push_back(Finish(*command));
  }
  return reply;
}

BatchReply Store::Engine::RefuseBatch(CommandOperation& operation, std::size_t index) {
  BatchReply reply;
  reply.refusal = Finish(operation).refusal();
  reply.refusal->index = static_cast<std::uint32_t>(index);
  return reply;
}

}  // namespace sagalog
