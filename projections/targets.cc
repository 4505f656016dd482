#include "projections/targets.h"

#include <algorithm>

#include "projections/text_hash.h"

namespace sagalog {
namespace {

// The bits that choose a place in the table, from all bits of the hash.
std::uint64_t Spread(std::uint64_t target_hash) { return MixHash(target_hash, kHashStep); }

Saga* Find(const HashedSagas& sagas, std::uint64_t target_hash, const Saga* self, bool shared) {
  return sagas.FindIf(Spread(target_hash), [&](const Saga& saga) {
    return &saga != self && std::any_of(saga.compensations.begin(), saga.compensations.end(),
                                        [&](const CompensationRecord& record) {
                                          return record.target_hash == target_hash &&
                                                 record.shared == shared && !record.IsSettled();
                                        });
  });
}

}  // namespace

Saga* Targets::OtherHolder(std::uint64_t target_hash, const Saga* self, bool unshared_only) const {
  Saga* holder = Find(unshared_, target_hash, self, false);
  if (holder == nullptr && !unshared_only) {
    holder = Find(shared_, target_hash, self, true);
  }
  return holder;
}

void Targets::Update(Saga& saga) {
  if (saga.IsTerminal()) {
    Remove(saga);
    return;
  }
  for (std::size_t i = saga.places.targets_listed; i < saga.compensations.size(); ++i) {
    const CompensationRecord& record = saga.compensations[i];
    (record.shared ? shared_ : unshared_).Insert(Spread(record.target_hash), &saga);
  }
  saga.places.targets_listed = static_cast<std::uint16_t>(saga.compensations.size());
}

void Targets::Remove(Saga& saga) {
  for (std::size_t i = 0; i < saga.places.targets_listed; ++i) {
    const CompensationRecord& record = saga.compensations[i];
    (record.shared ? shared_ : unshared_).Erase(Spread(record.target_hash), &saga);
  }
  saga.places.targets_listed = 0;
}

}  // namespace sagalog
