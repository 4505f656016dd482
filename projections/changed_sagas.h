// What the next checkpoint has to write, and which sagas may leave memory after it.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "projections/checkpoint_batch.h"
#include "projections/saga_rows.h"
#include "schema/check.h"

namespace sagalog {

// Every saga says by the mark in its places whether it is on the list. Freezing the list takes the
// other mark for what changes from then on, so it costs nothing per saga; a frozen saga that is
// about to change is written first.
//
// An ended saga goes through three lists: written by a checkpoint that is not yet committed;
// released when it is; leaving when one more is. A change takes it off each (by its mark).
class ChangedSagas {
 public:
  // `labels` is borrowed.
  explicit ChangedSagas(const Labels& labels) : labels_(labels) {}

  // Before a saga changes, and when it is new.
  void Touch(Saga& saga) {
    if (saga.places.changed == mark_) {
      return;
    }
    if (saga.places.changed != kUnchanged) {
      Write(saga);
    }
    saga.places.changed = mark_;
    saga.places.ended = kNotEnded;
    changed_.push_back(&saga);
  }
  // A saga that is new since the list was last frozen goes away, as if it had never been.
  void Forget(Saga& saga);
  // An ended saga came back into memory, unchanged.
  void NoteAdmitted(Saga& saga) { NoteEnded(saga); }

  // Takes what has changed up to now for a checkpoint. Its rows go to batch(), beside those of an
  // earlier checkpoint that could not be committed.
  void Freeze();
  // Writes at most `sagas_max` frozen sagas; true when none is left.
  [[nodiscard]] bool Serialize(std::size_t sagas_max);
  [[nodiscard]] CheckpointBatch& batch() { return batch_; }

  // The checkpoint was committed. Leaving() must be empty.
  void NoteCommitted();
  // The next saga that may leave memory; null = none.
  [[nodiscard]] Saga* NextLeaving();

  // Instead of checkpoints, for a fold of which no row is kept: visits what has changed since and
  // has ended. All of that may leave memory at once. Leaving() must be empty.
  template <typename Visitor>
  void TakeEnded(const Visitor& visit) {
    CHECK(leaving_next_ == leaving_.size() && frozen_.empty());
    leaving_.clear();
    leaving_next_ = 0;
    written_.clear();
    for (Saga* saga : changed_) {
      saga->places.changed = kUnchanged;
      if (MayLeaveMemory(*saga)) {
        visit(*saga);
        saga->places.ended = kLeaving;
        leaving_.push_back(saga);
      }
    }
    changed_.clear();
  }

 private:
  static constexpr std::uint8_t kUnchanged = 0;
  static constexpr std::uint8_t kNotEnded = 0;
  static constexpr std::uint8_t kLeaving = 3;
  static std::uint8_t Other(std::uint8_t mark) { return static_cast<std::uint8_t>(3 - mark); }

  void Write(Saga& saga);
  void NoteEnded(Saga& saga);

  const Labels& labels_;
  CheckpointBatch batch_;
  std::uint8_t mark_ = 1;
  // A deque: it grows without copying, and wastes little.
  std::deque<Saga*> changed_;
  std::deque<Saga*> frozen_;
  std::size_t frozen_next_ = 0;

  std::uint8_t written_mark_ = 1;
  std::vector<Saga*> written_;
  std::vector<Saga*> released_;
  std::vector<Saga*> leaving_;
  std::size_t leaving_next_ = 0;
};

}  // namespace sagalog
