// One command on its way through the store.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "reactor/decide.h"
#include "reactor/queued_operation.h"
#include "reactor/saga_view.h"

namespace sagalog {

class Decider;
class Batch;

// What the decider runs in a turn.
class StoreOperation : public QueuedOperation {
 public:
  // False when there is no room in the batch; then nothing happened.
  [[nodiscard]] virtual bool RunWith(Decider& decider, Batch& batch) = 0;
};

// A command and, after its turn, what was decided.
class CommandOperation : public StoreOperation {
 public:
  bool RunWith(Decider& decider, Batch& batch) override;
  void Anticipate(const TurnWork& work, Distance distance) const override;
  // Becomes a refusal: the decision did not become durable, or was never made.
  bool Undo(const Status& why) override;

  commands::CommandT command;
  // The command's content, when it carries a request id.
  std::uint64_t content = 0;
  bool with_saga = false;
  // Null = not looked up yet.
  std::unique_ptr<Lookups> lookups;
  // What decisions on it have asked to be looked up.
  std::vector<std::string> wanted;

  // Set by the turn. First: not decided, because what it is about is not in memory and was not
  // looked up.
  bool needs_look_up = false;
  std::unique_ptr<answers::RefusalT> refusal;
  std::optional<Sequence> replay_of;
  answers::Outcome outcome = answers::Outcome::ok;
  Sequence sequence;
  Token token;
  bool cancel_pending = false;
  std::vector<HolderReport> reports;
  // The saga after the command, when asked for; of a replay, as it is now.
  std::unique_ptr<SagaSnapshot> snapshot;
};

}  // namespace sagalog
