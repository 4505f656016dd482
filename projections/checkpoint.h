// The projections on disk: rows of a RocksDB database that may be deleted at any time.
//
// A checkpoint writes what changed since the last one, in one atomic batch with its sequence.
// Opening = the rows of the newest checkpoint + the tail of the log. Rows are deterministic: a
// rebuild from zero gives the same bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "eventlog/event_log.h"
#include "projections/ended_rows.h"
#include "projections/projections.h"

namespace sagalog {

class CheckpointBatch;

// The rows. Thread-safe for reads beside one writer. No WAL: what was not flushed is folded again.
class CheckpointStore : public EndedRows {
 public:
  enum class Mode { kReadWrite, kReadOnly, kInMemory };
  // kInMemory: an empty database that leaves nothing behind; `directory` is ignored. kCorruption
  // when it is damaged and kUnsupportedVersion when its rows have another layout: delete it and
  // fold again. kReadOnly of a directory that does not exist is kNotFound.
  [[nodiscard]] static Result<std::unique_ptr<CheckpointStore>> Open(
      const std::filesystem::path& directory, Mode mode);

  // The sequence of the newest checkpoint; 0 = none.
  [[nodiscard]] virtual Sequence CheckpointSequence() const = 0;
  // Loads the newest checkpoint into empty projections. kCorruption when rows are damaged.
  virtual Status Load(Projections& projections) = 0;
  // Compares all rows with those of `other` at the same sequence; the first difference in words,
  // or none.
  [[nodiscard]] virtual Result<std::optional<std::string>> FirstDifference(
      const CheckpointStore& other) const = 0;
  // Rewrites the tables of the sagas in memory, so that no file holds what a row said before.
  virtual Status DropOverwritten() const = 0;
  // Bytes on disk.
  [[nodiscard]] virtual std::uint64_t SizeBytes() const = 0;
  virtual Status Close() = 0;

 protected:
  friend class Checkpointer;
  // Writes the batch atomically, makes it durable and empties it. On an error the batch stays, and
  // may be committed again with what has come since.
  virtual Status Commit(CheckpointBatch& batch) = 0;
};

// Takes checkpoints of projections that go on changing.
//
// Under the sequencer's turn: Begin, then Serialize until it says done. In between, events may be
// folded: a saga that is about to change is serialised first, as it was at Begin. Then, on any
// thread and without the turn, when the log is durable up to sequence(): Commit. Then, under the
// turn again: Finish, which lets go of ended sagas whose rows were committed by the checkpoint
// before this one (so that a look-up made before a checkpoint still finds them in memory).
//
// After a Commit that failed, Begin starts over: nothing is lost, the next Commit writes both.
class Checkpointer {
 public:
  Checkpointer(Projections& projections, CheckpointStore& store);
  ~Checkpointer();

  void Begin();
  // Serialises at most `sagas_max` sagas; true when the checkpoint is complete.
  [[nodiscard]] bool Serialize(std::size_t sagas_max);
  // The sequence this checkpoint is of.
  [[nodiscard]] Sequence sequence() const;
  Status Commit();
  void Finish();
  // How often Finish let go of sagas: a look-up made at epoch e is good while Epoch() <= e + 1.
  [[nodiscard]] std::uint64_t Epoch() const;

  // All of it at once, for folds without a sequencer.
  Status TakeNow();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Folds the log from `projections.Applied()` to `through` into `projections`; verification and
// reading run on a thread of their own. With `store`, a checkpoint is taken every
// `checkpoint_every` events so that memory stays bounded. kCorruption names the damaged sequence;
// what is before it has been folded.
Status Fold(const EventLog& log, Sequence through, Projections& projections, CheckpointStore* store,
            std::uint64_t checkpoint_every = 100'000);

}  // namespace sagalog
