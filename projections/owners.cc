#include "projections/owners.h"

#include <algorithm>

#include "schema/check.h"

namespace sagalog {
namespace {

bool PlannedBefore(const Saga* a, const Saga* b) {
  return a->planned_sequence < b->planned_sequence;
}

}  // namespace

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
    ListHost(saga.owner);
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
    UnlistHost(owner);
  }
}

std::vector<const Saga*> Owners::Sorted(const Held& held) {
  if (held.list == nullptr) {
    return {held.one};
  }
  std::vector<const Saga*> sagas(held.list->begin(), held.list->end());
  std::sort(sagas.begin(), sagas.end(), PlannedBefore);
  return sagas;
}

void Owners::ListHost(const InternedText& owner) {
  const HostBoot place = HostBootOf(owner);
  if (!place.host.empty() && !place.boot_id.empty()) {
    hosts_[std::string(place.host)][std::string(place.boot_id)].insert(owner);
  }
}

void Owners::UnlistHost(const InternedText& owner) {
  const HostBoot place = HostBootOf(owner);
  const auto host = hosts_.find(std::string(place.host));
  if (host == hosts_.end()) {
    return;
  }
  const auto boot = host->second.find(std::string(place.boot_id));
  if (boot == host->second.end()) {
    return;
  }
  boot->second.erase(owner);
  if (boot->second.empty()) {
    host->second.erase(boot);
  }
  if (host->second.empty()) {
    hosts_.erase(host);
  }
}

const Owners::Boots* Owners::FindHost(std::string_view host) const {
  const auto found = hosts_.find(std::string(host));
  return found == hosts_.end() ? nullptr : &found->second;
}

std::vector<const Saga*> Owners::HeldBy(const InternedText& owner) const {
  const auto found = held_.find(owner);
  return found == held_.end() ? std::vector<const Saga*>() : Sorted(found->second);
}

std::vector<std::string> Owners::BootsOf(std::string_view host) const {
  std::vector<std::string> boots;
  if (const Boots* known = FindHost(host)) {
    for (const auto& [boot_id, incarnations] : *known) {
      boots.push_back(boot_id);
    }
  }
  return boots;
}

bool Owners::Holds(const HostBoot& place) const {
  const Boots* const boots = FindHost(place.host);
  return boots != nullptr && boots->contains(std::string(place.boot_id));
}

std::vector<const Saga*> Owners::HeldByBoot(std::string_view host, std::string_view boot_id) const {
  std::vector<const Saga*> sagas;
  const Boots* const boots = FindHost(host);
  const auto boot = boots == nullptr ? Boots::const_iterator() : boots->find(std::string(boot_id));
  if (boots == nullptr || boot == boots->end()) {
    return sagas;
  }
  for (const InternedText& owner : boot->second) {
    const std::vector<const Saga*> held = HeldBy(owner);
    sagas.insert(sagas.end(), held.begin(), held.end());
  }
  std::sort(sagas.begin(), sagas.end(), PlannedBefore);
  return sagas;
}

}  // namespace sagalog
