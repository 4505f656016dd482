#include "projections/owners.h"

#include <algorithm>

#include "schema/check.h"

namespace sagalog {

Owners::~Owners() {
  for (const auto& [owner, held] : held_) {
    delete held.list;
  }
}

void Owners::Update(Saga& saga, const InternedText& owner_before) {
  const bool listed = saga.places.owner_place != SagaPlaces::kNowhere;
  if (listed && saga.IsHeld() && saga.owner == owner_before) {
    return;
  }
  if (listed) {
    Erase(saga, owner_before);
  }
  if (saga.IsHeld()) {
    Insert(saga);
  }
}

void Owners::Remove(Saga& saga) {
  if (saga.places.owner_place != SagaPlaces::kNowhere) {
    Erase(saga, saga.owner);
  }
}

void Owners::Insert(Saga& saga) {
  Held& held = held_[saga.owner];
  if (held.list == nullptr && held.one == nullptr) {
    held.one = &saga;
    saga.places.owner_place = 0;
    return;
  }
  if (held.list == nullptr) {
    held.list = new Sagas{held.one};
    held.one = nullptr;
  }
  saga.places.owner_place = static_cast<std::uint32_t>(held.list->size());
  held.list->push_back(&saga);
}

void Owners::Erase(Saga& saga, const InternedText& owner) {
  const auto found = held_.find(owner);
  CHECK(found != held_.end());
  const std::uint32_t place = saga.places.owner_place;
  Sagas* list = found->second.list;
  if (list != nullptr) {
    (*list)[place] = list->back();
    (*list)[place]->places.owner_place = place;
    list->pop_back();
  }
  // After the last of the list took its place, which may have been itself.
  saga.places.owner_place = SagaPlaces::kNowhere;
  if (list == nullptr || list->empty()) {
    delete list;
    held_.erase(found);
  }
}

std::vector<const Saga*> Owners::Sorted(const Held& held) {
  if (held.list == nullptr) {
    return {held.one};
  }
  std::vector<const Saga*> sagas(held.list->begin(), held.list->end());
  std::sort(sagas.begin(), sagas.end(),
            [](const Saga* a, const Saga* b) { return a->planned_sequence < b->planned_sequence; });
  return sagas;
}

}  // namespace sagalog
