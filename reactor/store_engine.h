// What a Store is made of.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "eventlog/data_directory.h"
#include "eventlog/log_maintenance.h"
#include "eventlog/log_readers.h"
#include "reactor/checkpoint_due.h"
#include "reactor/checkpoint_keeper.h"
#include "reactor/command_operation.h"
#include "reactor/decider.h"
#include "reactor/live_state.h"
#include "reactor/reaper.h"
#include "reactor/reaper_loop.h"
#include "reactor/refusal_notes.h"
#include "reactor/sequencer.h"
#include "reactor/store.h"

namespace sagalog {

class PastLooks;

// The parts, in the order in which they need each other. Thread-safe.
class Store::Engine {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Engine>> Open(StoreOptions options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // For what stands beside the store and is no method of it.
  [[nodiscard]] static Engine& Of(Store& store) { return *store.engine_; }

  Status Close();

  // A command to its reply, on this thread.
  [[nodiscard]] Reply Run(CommandOperation& operation);
  // Several commands, on this thread.
  [[nodiscard]] BatchReply RunBatch(std::vector<commands::CommandT> batch, bool atomic,
                                    bool with_saga);
  // The same ending in Completed; from there, Resume until it says true, then Finish.
  void Submit(CommandOperation& operation);
  [[nodiscard]] bool Resume(CommandOperation& operation);
  [[nodiscard]] Reply Finish(CommandOperation& operation);

  // Runs `function` in a turn; what it saw is durable when this returns.
  Status RunInTurn(TurnFunction::Function function,
                   TurnFunction::Kind kind = TurnFunction::Kind::kRead);
  // Any saga, in memory or ended; empty when there is none.
  [[nodiscard]] Result<std::optional<SagaSnapshot>> FindSaga(std::string_view saga_id);

  // Appends an event of the store itself, by an operator: its sequence. kReadOnly when the store
  // takes none.
  [[nodiscard]] Result<Sequence> AppendNote(KeepingNote note);

  [[nodiscard]] const EventLog& log() const { return *log_; }
  // Null = the log sees to its keeping itself.
  [[nodiscard]] LogMaintenance* maintenance() { return log_->Maintenance(); }
  // Empty when the log is the caller's.
  [[nodiscard]] std::filesystem::path directory() const {
    return directory_ ? directory_->path() : std::filesystem::path();
  }
  [[nodiscard]] LogReaders& readers() { return *readers_; }
  // Held by a compaction: one at a time.
  [[nodiscard]] std::mutex& compaction_mutex() { return compaction_mutex_; }
  [[nodiscard]] LiveState& state() { return *state_; }
  // Null when the store takes no appends since it was opened.
  [[nodiscard]] CheckpointKeeper* keeper() { return keeper_.get(); }
  [[nodiscard]] Reaper& reaper() { return *reaper_; }
  [[nodiscard]] PastLooks& past_looks() { return *past_looks_; }
  [[nodiscard]] Status Health() const;
  [[nodiscard]] std::size_t QueuedOperations() const {
    return sequencer_ ? sequencer_->Waiting() : 0;
  }
  // The sequence of the newest checkpoint on disk.
  [[nodiscard]] Sequence CheckpointSequence() const;
  [[nodiscard]] const RefusalNotes& notes() const { return notes_; }
  // Counts a refusal, and keeps it for a note if the store is written to.
  void NoteRefusal(const commands::CommandT& command, const answers::RefusalT& refusal);
  [[nodiscard]] std::uint64_t CountRefusals(schema::RefusalCode code) const;

 private:
  explicit Engine(StoreOptions options);

  Status OpenLog();
  Status OpenState();
  Status StartDeciding();
  void MakeReaper();
  void StartReaper();
  [[nodiscard]] bool WasAway() const;
  Status AppendStoreOpened();

  // The refusals that need no turn, and what the turn needs to have looked up. False = refused.
  [[nodiscard]] bool Prepare(CommandOperation& operation);
  void LookUp(CommandOperation& operation);
  [[nodiscard]] Reply FinishReplay(CommandOperation& operation);
  Status KeepChildrenPlannedBy(Sequence sequence, SagaExtras& extras);
  [[nodiscard]] Reply FinishRefused(const commands::CommandT& command, answers::RefusalT refusal);
  [[nodiscard]] BatchReply RefuseBatch(CommandOperation& operation, std::size_t index);

  StoreOptions options_;
  SystemClock system_clock_;
  const Clock& clock_;
  std::optional<DataDirectory> directory_;
  std::unique_ptr<EventLog> log_;
  std::unique_ptr<LogReaders> readers_;
  // Opened before the log where a writer may go on writing both.
  std::optional<Result<std::unique_ptr<CheckpointStore>>> rows_before_log_;
  bool read_only_ = false;
  std::unique_ptr<LiveState> state_;
  std::unique_ptr<CheckpointDue> due_;
  std::unique_ptr<Decider> decider_;
  std::unique_ptr<Sequencer> sequencer_;
  std::unique_ptr<CheckpointKeeper> keeper_;
  std::unique_ptr<Reaper> reaper_;
  // Null when the reaper does not act by itself.
  std::unique_ptr<ReaperLoop> reaper_loop_;
  std::array<std::atomic<std::uint64_t>, 64> refusals_{};
  RefusalNotes notes_;
  std::unique_ptr<PastLooks> past_looks_;
  std::mutex compaction_mutex_;
  std::mutex close_mutex_;
  bool closed_ = false;  // guarded by close_mutex_
  Status close_status_;
};

}  // namespace sagalog
