#include "projections/changed_sagas.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace sagalog {

void ChangedSagas::Freeze() {
  CHECK(frozen_next_ == frozen_.size());
  frozen_ = std::exchange(changed_, {});
  frozen_next_ = 0;
  mark_ = Other(mark_);
}

void ChangedSagas::Forget(Saga& saga) {
  CHECK(saga.places.changed == mark_);
  const auto found = std::find(changed_.rbegin(), changed_.rend(), &saga);
  CHECK(found != changed_.rend());
  changed_.erase(std::prev(found.base()));
}

bool ChangedSagas::Serialize(std::size_t sagas_max) {
  for (; frozen_next_ < frozen_.size() && sagas_max > 0; ++frozen_next_, --sagas_max) {
    Saga& saga = *frozen_[frozen_next_];
    if (saga.places.changed == Other(mark_)) {
      Write(saga);
    }
  }
  if (frozen_next_ < frozen_.size()) {
    return false;
  }
  frozen_ = {};
  frozen_next_ = 0;
  return true;
}

void ChangedSagas::Write(Saga& saga) {
  WriteSagaRows(saga, labels_, batch_);
  saga.places.changed = kUnchanged;
  if (MayLeaveMemory(saga)) {
    NoteEnded(saga);
  }
}

void ChangedSagas::NoteEnded(Saga& saga) {
  saga.places.ended = written_mark_;
  written_.push_back(&saga);
}

void ChangedSagas::NoteCommitted() {
  CHECK(leaving_next_ == leaving_.size());
  leaving_.clear();
  leaving_next_ = 0;
  for (Saga* saga : released_) {
    if (saga->places.ended == Other(written_mark_)) {
      saga->places.ended = kLeaving;
      leaving_.push_back(saga);
    }
  }
  released_ = std::exchange(written_, {});
  written_mark_ = Other(written_mark_);
}

Saga* ChangedSagas::NextLeaving() {
  while (leaving_next_ < leaving_.size()) {
    Saga* saga = leaving_[leaving_next_++];
    if (saga->places.ended == kLeaving) {
      return saga;
    }
  }
  return nullptr;
}

}  // namespace sagalog
