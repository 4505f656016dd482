// What happens in a turn of the store's sequencer: a command becomes a decision, the decision
// events, and the events state.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "reactor/batch_operation.h"
#include "reactor/checkpoint_due.h"
#include "reactor/command_operation.h"
#include "reactor/live_state.h"
#include "reactor/refusal_notes.h"
#include "reactor/sequencer.h"
#include "reactor/store_clock.h"
#include "schema/event_encoder.h"

namespace sagalog {

// A function that wants a turn: a read, a slice of a checkpoint. It may be run again when the turn
// it ran in came to nothing.
class TurnFunction final : public StoreOperation {
 public:
  enum class Kind {
    kRead,
    kUpkeep,       // the store's own: is never told `overloaded`
    kAloneUpkeep,  // and wants nobody to write meanwhile
  };
  using Function = std::function<void(Decider&)>;
  explicit TurnFunction(Function function, Kind kind = Kind::kRead)
      : function_(std::move(function)), kind_(kind) {}

  bool RunWith(Decider& decider, Batch& batch) override;
  bool Undo(const Status& why) override;
  [[nodiscard]] bool WantsToBeAlone() const override { return kind_ == Kind::kAloneUpkeep; }
  [[nodiscard]] bool IsUpkeep() const override { return kind_ != Kind::kRead; }
  // Why it did not run.
  [[nodiscard]] const Status& status() const { return status_; }

 private:
  Function function_;
  Kind kind_;
  Status status_;
};

// What the store itself notes of its keeping.
struct KeepingNote {
  std::variant<events::CompactedT, events::RedactedT> body;
  std::string actor;
  std::string principal;
  // Where a repetition is to be known by it, with what was asked for.
  std::optional<schema::RequestId> request_id;
  std::uint64_t request_content = 0;
};

class KeepingOperation final : public StoreOperation {
 public:
  explicit KeepingOperation(KeepingNote note) : note_(std::move(note)) {}

  bool RunWith(Decider& decider, Batch& batch) override;
  bool Undo(const Status& why) override;
  [[nodiscard]] bool IsUpkeep() const override { return true; }
  // Why it is not in the log.
  [[nodiscard]] const Status& status() const { return status_; }
  // Where it is in the log.
  [[nodiscard]] Sequence sequence() const { return sequence_; }

 private:
  KeepingNote note_;
  Sequence sequence_;
  Status status_;
};

// Used by whoever has the turn, unless a method says otherwise.
class Decider final : public TurnWork {
 public:
  // `read_only`: why no event may be appended, or OK. `health`: what Health() says to begin with.
  // `state`, `due` and `notes` are borrowed.
  Decider(LiveState& state, CheckpointDue& due, RefusalNotes& notes, StoreClock clock,
          Status read_only, Status health);

  void BeginTurn(Batch& batch, std::optional<Duration> writing_since) override;
  bool RunInTurn(QueuedOperation& operation, Batch& batch) override;
  void FoldAgain(const Status& why) override;
  [[nodiscard]] Sequence Applied() const override { return state_.projections().Applied(); }
  [[nodiscard]] Status TurnHealth() const override { return turn_health_; }

  // Decides one command and applies its events. False when the batch has no room for them.
  [[nodiscard]] bool Decide(CommandOperation& operation, Batch& batch);

  // batch_operation.cc: several commands, as far as there is room; or all of them, or none.
  [[nodiscard]] bool DecideEach(BatchOperation& operation, Batch& batch);
  [[nodiscard]] bool DecideAllOrNone(BatchOperation& operation, Batch& batch);
  [[nodiscard]] bool DecideOfBatch(CommandOperation& command, Batch& batch);

  [[nodiscard]] LiveState& state() { return state_; }
  [[nodiscard]] const Projections& projections() const { return state_.projections(); }
  // The time of this turn.
  [[nodiscard]] StoreTime now() const { return moment_.now; }
  // What was done in this turn must not be built on: the projections are folded again after it.
  void FailTurn(Status why) { turn_health_ = std::move(why); }

  // Appends what was refused since the last note, if anything was and the store takes appends.
  void NoteRefusals(Batch& batch);

  [[nodiscard]] std::uint64_t commands() const { return commands_; }

  // On any thread: OK, kReadOnly after a write error, kCorruption.
  [[nodiscard]] Status Health() const;

  // The store was opened: before there is a sequencer, in a turn of the opening thread.
  void AddStoreOpened(Batch& batch, events::StoreOpenedT body);
  // In a turn: its sequence. kReadOnly when no event may be appended.
  [[nodiscard]] Result<Sequence> AddKeepingNote(Batch& batch, const KeepingNote& note);

 private:
  // The newest event of a saga, for the chain of its next one.
  struct ChainEnd {
    SagaVersion version;
    Sequence sequence;
    Sequence transition;
  };

  template <typename Body>
  void AddStoreEvent(Batch& batch, Body body);
  // The same with an envelope that event_ already has.
  template <typename Body>
  void AddFilledStoreEvent(Batch& batch, Body body);
  [[nodiscard]] bool HasLookUps(CommandOperation& operation);
  [[nodiscard]] bool AppendDecision(CommandOperation& operation, Decision& decision, Batch& batch);
  void FillEnvelope(const CommandOperation& operation, bool answers_request);
  [[nodiscard]] ChainEnd EndOfChain(std::string_view saga_id) const;
  // Encodes event_ into the batch behind its chain; its size.
  std::size_t Encode(Batch& batch, const ChainEnd& end);
  void ApplyFrom(std::size_t first, Batch& batch);
  void RefuseForSize(CommandOperation& operation, schema::RefusalCode code, std::size_t limit,
                     std::size_t actual, std::string_view what);
  void CopySaga(CommandOperation& operation, std::string_view saga_id);

  LiveState& state_;
  CheckpointDue& due_;
  RefusalNotes& notes_;
  StoreClock clock_;
  Status read_only_;
  StoreClock::Moment moment_;
  Status turn_health_;
  std::uint64_t commands_ = 0;
  const Lookups no_lookups_;
  EventEncoder encoder_;
  // Used again for every event, so that its texts keep their memory.
  events::EventT event_;
  std::unordered_map<std::string_view, ChainEnd> chain_ends_;

  mutable std::mutex health_mutex_;
  Status health_;  // guarded by health_mutex_
};

}  // namespace sagalog
