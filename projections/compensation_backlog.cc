#include "projections/compensation_backlog.h"

#include <algorithm>

namespace sagalog {

void CompensationBacklog::Update(Saga& saga) {
  const bool owes = saga.compensation_status == CompensationStatus::owed ||
                    saga.compensation_status == CompensationStatus::failed;
  if (!owes) {
    Remove(saga);
    return;
  }
  const Place place{ToMicros(saga.state_since), saga.planned_sequence.value()};
  if (saga.places.in_backlog && places_.at(&saga) == place) {
    return;
  }
  Remove(saga);
  sagas_.emplace(place, &saga);
  places_.emplace(&saga, place);
  saga.places.in_backlog = true;
}

void CompensationBacklog::Remove(Saga& saga) {
  if (!saga.places.in_backlog) {
    return;
  }
  const auto place = places_.find(&saga);
  sagas_.erase(place->second);
  places_.erase(place);
  saga.places.in_backlog = false;
}

std::vector<const Saga*> CompensationBacklog::First(std::size_t limit) const {
  std::vector<const Saga*> sagas;
  sagas.reserve(std::min(limit, sagas_.size()));
  for (auto it = sagas_.begin(); it != sagas_.end() && sagas.size() < limit; ++it) {
    sagas.push_back(it->second);
  }
  return sagas;
}

}  // namespace sagalog
