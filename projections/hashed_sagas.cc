#include "projections/hashed_sagas.h"

#include <utility>

namespace sagalog {

HashedSagas::~HashedSagas() {
  for (Shard& shard : shards_) {
    for (Slot& slot : shard.slots) {
      slot.group.Free();
    }
  }
}

std::uint32_t HashedSagas::Shard::HomeOf(std::uint32_t tag) const {
  // Scales the tag to the capacity, which need not be a power of two.
  return static_cast<std::uint32_t>((std::uint64_t{tag} * slots.size()) >> 32);
}

std::uint32_t HashedSagas::Shard::After(std::uint32_t at) const {
  return at + 1 == slots.size() ? 0 : at + 1;
}

std::uint32_t HashedSagas::Shard::Find(std::uint32_t tag) const {
  if (size == 0) {
    return kNone;
  }
  // One slot is always free, so the search ends.
  std::uint32_t at = HomeOf(tag);
  while (slots[at].tag != tag) {
    if (slots[at].tag == kFree) {
      return kNone;
    }
    at = After(at);
  }
  return at;
}

void HashedSagas::Shard::Place(Slot slot) {
  std::uint32_t at = HomeOf(slot.tag);
  while (slots[at].tag != kFree) {
    at = After(at);
  }
  slots[at] = slot;
}

void HashedSagas::Shard::Resize(std::size_t capacity) {
  const std::vector<Slot> before = std::exchange(slots, std::vector<Slot>(capacity));
  for (const Slot& slot : before) {
    if (slot.tag != kFree) {
      Place(slot);
    }
  }
}

// Frees the slot and moves back what its being taken had pushed on: no tombstones.
void HashedSagas::Shard::Vacate(std::uint32_t at) {
  const auto capacity = static_cast<std::uint32_t>(slots.size());
  const auto distance = [capacity](std::uint32_t from, std::uint32_t to) {
    return to >= from ? to - from : to + capacity - from;
  };
  std::uint32_t hole = at;
  for (std::uint32_t next = After(hole); slots[next].tag != kFree; next = After(next)) {
    if (distance(HomeOf(slots[next].tag), next) >= distance(hole, next)) {
      slots[hole] = slots[next];
      hole = next;
    }
  }
  slots[hole] = Slot();
  --size;
  if (capacity > kCapacityMin && size < capacity / 8) {
    Resize(std::max<std::size_t>(kCapacityMin, capacity / 4));
  }
}

void HashedSagas::Insert(std::uint64_t hash, Saga* saga) {
  Shard& shard = shards_[hash >> kShardShift];
  const std::uint32_t tag = Tag(hash);
  if (const std::uint32_t at = shard.Find(tag); at != Shard::kNone) {
    shard.slots[at].group.Insert(saga);
    return;
  }
  const std::size_t capacity = shard.slots.size();
  if ((shard.size + 1) * 5 > capacity * 4) {
    shard.Resize(std::max(Shard::kCapacityMin, capacity + capacity / 4));
  }
  shard.Place({tag, SagaGroup(saga)});
  ++shard.size;
}

void HashedSagas::Erase(std::uint64_t hash, Saga* saga) {
  Shard& shard = shards_[hash >> kShardShift];
  const std::uint32_t at = shard.Find(Tag(hash));
  if (at == Shard::kNone) {
    return;
  }
  shard.slots[at].group.Erase(saga);
  if (shard.slots[at].group.empty()) {
    shard.Vacate(at);
  }
}

}  // namespace sagalog
