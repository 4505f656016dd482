#include "projections/targets.h"

#include <algorithm>

#include "projections/text_hash.h"
#include "schema/limits.h"

namespace sagalog {

static_assert(kCompensationsMax < 1U << 14, "SagaPlaces::targets_listed holds the number");
namespace {

// The bits that choose a place in the table, from all bits of the hash.
std::uint64_t Spread(std::uint64_t target_hash) { return MixHash(target_hash, kHashStep); }

Saga* Find(const HashedSagas& sagas, std::uint64_t target_hash, const Saga* self) {
  return sagas.FindIf(Spread(target_hash), [&](const Saga& saga) {
    return &saga != self && std::any_of(saga.compensations.begin(), saga.compensations.end(),
                                        [&](const CompensationRecord& record) {
                                          return record.target_hash == target_hash &&
                                                 !record.IsSettled();
                                        });
  });
}

}  // namespace

Saga* Targets::OtherHolder(std::uint64_t target_hash, const Saga* self, bool undoing_too) const {
  Saga* holder = Find(working_, target_hash, self);
  if (holder == nullptr && undoing_too) {
    holder = Find(undoing_, target_hash, self);
  }
  return holder;
}

HashedSagas& Targets::ListOf(const Saga& saga) {
  return saga.places.targets_undone ? undoing_ : working_;
}

void Targets::Update(Saga& saga) {
  const bool undoing = saga.state == State::compensating;
  if (saga.IsTerminal() || undoing != saga.places.targets_undone) {
    Remove(saga);
    saga.places.targets_undone = undoing;
  }
  if (saga.IsTerminal()) {
    return;
  }
  HashedSagas& list = ListOf(saga);
  for (std::size_t i = saga.places.targets_listed; i < saga.compensations.size(); ++i) {
    list.Insert(Spread(saga.compensations[i].target_hash), &saga);
  }
  saga.places.targets_listed = static_cast<std::uint16_t>(saga.compensations.size());
}

void Targets::Remove(Saga& saga) {
  HashedSagas& list = ListOf(saga);
  for (std::size_t i = 0; i < saga.places.targets_listed; ++i) {
    list.Erase(Spread(saga.compensations[i].target_hash), &saga);
  }
  saga.places.targets_listed = 0;
}

}  // namespace sagalog
