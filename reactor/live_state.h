// The projections of a running store, their rows on disk, and how both come back.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <string>
#include <utility>

#include "eventlog/event_log.h"
#include "projections/checkpoint.h"
#include "projections/projections.h"
#include "reactor/decide.h"
#include "reactor/store_event_index.h"

namespace sagalog {

// Projections folded to the end of a log, backed by rows. What changes the projections happens in
// a turn of the sequencer; the rows are read from any thread.
class LiveState {
 public:
  struct Options {
    // Of the rows; empty = they stay in memory.
    std::filesystem::path directory;
    // Writes nothing to the directory.
    bool read_only = false;
    std::uint64_t checkpoint_events = 100'000;
  };

  // The newest checkpoint and the tail of the log. Rows that are damaged, laid out otherwise or
  // ahead of the log are thrown away and folded again. A log that is damaged is folded up to the
  // damage, or not at all where the checkpoint is beyond: damage() says so.
  // `rows` are what OpenRows said of the same options.
  using Rows = Result<std::unique_ptr<CheckpointStore>>;
  [[nodiscard]] static Result<std::unique_ptr<LiveState>> Open(const EventLog& log, Rows rows,
                                                               Options options);
  // The rows as they are on disk, if they are of any use. Beside a writer they have to be opened
  // before the log, so that they cannot be ahead of it.
  [[nodiscard]] static Rows OpenRows(const std::filesystem::path& directory, bool read_only);

  // What the fold found damaged in the log.
  [[nodiscard]] const Status& damage() const { return damage_; }

  // In a turn.
  [[nodiscard]] Projections& projections() { return *folded_.projections; }
  [[nodiscard]] const Projections& projections() const { return *folded_.projections; }
  [[nodiscard]] Checkpointer& checkpointer() { return *folded_.checkpointer; }
  // Which projections these are: another number after FoldAgain and Rebuild.
  [[nodiscard]] std::uint64_t generation() const { return generation_; }

  // In a turn: drops everything and folds what is durable. Also when this fails the projections
  // are true of a sequence, an earlier one.
  Status FoldAgain();

  // In a turn: a checkpoint is on disk, and ended sagas may leave memory.
  void FinishCheckpoint();

  // On any thread, without the turn.
  [[nodiscard]] Lookups LookUp(const commands::CommandT& command,
                               std::span<const std::string> wanted) const;
  // Look-ups of an epoch before this one minus 1 have to be made again.
  [[nodiscard]] std::uint64_t epoch() const { return epoch_.load(std::memory_order_acquire); }
  // Calls `read` with the rows, which stay open meanwhile.
  template <typename Read>
  auto WithRows(const Read& read) const {
    const std::shared_lock lock(rows_mutex_);
    return read(std::as_const(*rows_));
  }

  // On the checkpoint's thread, between two turns: makes a serialised checkpoint durable. Nothing
  // when `generation` is over; false then.
  [[nodiscard]] Result<bool> CommitCheckpoint(std::uint64_t generation);

  // Where the log's events of the store itself stand. Any thread.
  [[nodiscard]] StoreEventIndex& store_events() { return store_events_; }
  // Brings that up to a checkpoint, so that whoever asks has little to wait for. Any thread.
  void NoteStoreEvents(Sequence through, std::uint64_t counted);

  // In a turn in which nothing is being written, and with no checkpoint under way: throws the rows
  // away and folds everything from zero. kConflict when the turn has applied more than is durable.
  Status Rebuild();

  Status Close();

 private:
  struct Folded {
    std::unique_ptr<Projections> projections;
    std::unique_ptr<Checkpointer> checkpointer;
  };

  LiveState(const EventLog& log, Options options);

  Status FoldFromRows();
  [[nodiscard]] Status CheckSameLog() const;
  Status FoldFromZero();
  Status FoldTail();
  Status EmptyRows();
  void StartProjections();

  const EventLog& log_;
  const Options options_;
  mutable std::shared_mutex rows_mutex_;  // held alone to exchange rows_
  std::unique_ptr<CheckpointStore> rows_;
  // Whether rows_ is the directory of a store that is open for reading.
  bool rows_are_borrowed_ = false;
  Folded folded_;
  std::uint64_t generation_ = 1;
  std::atomic<std::uint64_t> epoch_{0};
  // Held while a checkpoint is committed, and to exchange what it is committed from.
  std::mutex commit_mutex_;
  Status damage_;
  StoreEventIndex store_events_;
};

}  // namespace sagalog
