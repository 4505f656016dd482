#include "reactor/live_state.h"

#include <system_error>

#include <fmt/format.h>

#include "projections/event_mark.h"

namespace sagalog {

namespace fs = std::filesystem;

LiveState::LiveState(const EventLog& log, Options options)
    : log_(log),
      options_(std::move(options)),
      store_events_(options_.directory.empty() ? fs::path() : options_.directory / "store-events",
                    !options_.read_only) {}

void LiveState::NoteStoreEvents(Sequence through, std::uint64_t counted) {
  store_events_.Find(log_, through, counted)
      .status()
      .IgnoreBecause("whoever asks finds it again, and is told");
}

LiveState::Rows LiveState::OpenRows(const fs::path& directory, bool read_only) {
  if (directory.empty()) {
    return CheckpointStore::Open({}, CheckpointStore::Mode::kInMemory);
  }
  return CheckpointStore::Open(
      directory, read_only ? CheckpointStore::Mode::kReadOnly : CheckpointStore::Mode::kReadWrite);
}

Result<std::unique_ptr<LiveState>> LiveState::Open(const EventLog& log, Rows rows,
                                                   Options options) {
  std::unique_ptr<LiveState> state(new LiveState(log, std::move(options)));
  state->damage_ = log.Health();
  if (rows.ok()) {
    state->rows_ = *std::move(rows);
    state->rows_are_borrowed_ = state->options_.read_only && !state->options_.directory.empty();
    if (state->damage_.ok() && log.Last().IsNone() &&
        !state->rows_->CheckpointSequence().IsNone()) {
      return Status(Code::kCorruption,
                    fmt::format("the log is empty, but projections of {} events are beside it: the "
                                "log is gone. Restore a backup; to begin anew, delete projections/",
                                state->rows_->CheckpointSequence().value()));
    }
    // Rows ahead of a log that has lost its end are the best there is; ahead of a sound log they
    // belong to another one.
    const bool fits = state->rows_->CheckpointSequence() <= log.Last() || !state->damage_.ok();
    if (fits && state->FoldFromRows().ok()) {
      return state;
    }
  }
  RETURN_IF_ERROR(state->FoldFromZero());
  return state;
}

// Rows without content: in the directory, or in memory where that must not be written.
Status LiveState::EmptyRows() {
  folded_ = {};
  if (rows_) {
    rows_->Close().IgnoreBecause("these rows are thrown away");
    rows_.reset();
  }
  const bool in_memory = options_.read_only || options_.directory.empty();
  rows_are_borrowed_ = false;
  if (!in_memory) {
    std::error_code error;
    fs::remove_all(options_.directory, error);
    auto rows = CheckpointStore::Open(options_.directory, CheckpointStore::Mode::kReadWrite);
    if (rows.ok()) {
      rows_ = *std::move(rows);
      return {};
    }
    const Status why = rows.status();
    ASSIGN_OR_RETURN(rows_, CheckpointStore::Open({}, CheckpointStore::Mode::kInMemory));
    StartProjections();
    return why;
  }
  ASSIGN_OR_RETURN(rows_, CheckpointStore::Open({}, CheckpointStore::Mode::kInMemory));
  return {};
}

void LiveState::StartProjections() {
  folded_ = {};
  folded_.projections = std::make_unique<Projections>(*rows_);
  folded_.checkpointer = std::make_unique<Checkpointer>(*folded_.projections, *rows_);
}

// An error means that the rows, or the log, are damaged.
Status LiveState::FoldFromRows() {
  StartProjections();
  if (!rows_->CheckpointSequence().IsNone()) {
    RETURN_IF_ERROR(rows_->Load(*folded_.projections));
    RETURN_IF_ERROR(CheckSameLog());
  }
  return FoldTail();
}

// Rows are believed only when the newest event that they know is the log's.
Status LiveState::CheckSameLog() const {
  const Sequence newest = folded_.projections->Applied();
  if (newest > log_.Last()) {
    return {};  // of a log that has lost its end
  }
  const Result<StoredEvent> event = log_.Read(newest);
  return event.ok() && EventMark(**event) != folded_.projections->facts().last_event
             ? Status(Code::kCorruption, "the rows were folded from another log")
             : Status();
}

// Damage of the log is no error: the projections are true of what is before it.
Status LiveState::FoldFromZero() {
  RETURN_IF_ERROR(EmptyRows());
  StartProjections();
  const Status folded = FoldTail();
  if (folded.code() != Code::kCorruption) {
    return folded;
  }
  damage_ = damage_.ok() ? folded : damage_;
  return {};
}

Status LiveState::FoldTail() {
  const Sequence last = log_.Last();
  if (folded_.projections->Applied() >= last) {
    return {};
  }
  // The fold takes its checkpoints itself; ours starts from what it leaves.
  folded_.checkpointer.reset();
  const Status folded =
      Fold(log_, last, *folded_.projections, rows_are_borrowed_ ? nullptr : rows_.get(),
           options_.checkpoint_events);
  folded_.checkpointer = std::make_unique<Checkpointer>(*folded_.projections, *rows_);
  return folded;
}

Status LiveState::FoldAgain() {
  const std::lock_guard commit_lock(commit_mutex_);
  const std::unique_lock rows_lock(rows_mutex_);
  ++generation_;
  epoch_.fetch_add(2, std::memory_order_acq_rel);
  if (!FoldFromRows().ok()) {
    RETURN_IF_ERROR(FoldFromZero());
  }
  return damage_;
}

Status LiveState::Rebuild() {
  if (folded_.projections->Applied() != log_.Last()) {
    return {Code::kConflict, "events are still being written"};
  }
  const std::lock_guard commit_lock(commit_mutex_);
  const std::unique_lock rows_lock(rows_mutex_);
  ++generation_;
  epoch_.fetch_add(2, std::memory_order_acq_rel);
  RETURN_IF_ERROR(FoldFromZero());
  RETURN_IF_ERROR(damage_);
  return folded_.checkpointer->TakeNow();
}

void LiveState::FinishCheckpoint() {
  folded_.checkpointer->Finish();
  epoch_.fetch_add(1, std::memory_order_acq_rel);
}

Lookups LiveState::LookUp(const commands::CommandT& command,
                          std::span<const std::string> wanted) const {
  const std::shared_lock lock(rows_mutex_);
  return sagalog::LookUp(*rows_, epoch(), command, wanted);
}

Result<bool> LiveState::CommitCheckpoint(std::uint64_t generation) {
  const std::lock_guard lock(commit_mutex_);
  if (generation != generation_) {
    return false;
  }
  RETURN_IF_ERROR(folded_.checkpointer->Commit());
  return true;
}

Status LiveState::Close() {
  store_events_.Save(log_).IgnoreBecause("a pass over the log makes it anew");
  const std::lock_guard lock(rows_mutex_);  // those who read the rows come to an end first
  return rows_->Close();
}

}  // namespace sagalog
