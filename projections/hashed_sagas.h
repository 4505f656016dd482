// Sagas by the hash of something that the saga itself holds: its id, its key, a target.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "projections/saga_group.h"

namespace sagalog {

// A hash table with linear probing that keeps 32 bits of each hash beside the saga, so that
// growing it touches no saga. 12 bytes an entry at a load of 64 to 80 %. It is cut into shards
// that grow one at a time: with a million sagas the longest insert moves some 50 kB.
//
// Several sagas may have one hash, by intent (a shared target) or by chance: they form a group.
// Who looks up compares what was hashed.
class HashedSagas {
 public:
  HashedSagas() = default;
  ~HashedSagas();
  HashedSagas(const HashedSagas&) = delete;
  HashedSagas& operator=(const HashedSagas&) = delete;

  // Nothing if the saga is there under this hash.
  void Insert(std::uint64_t hash, Saga* saga);
  // Nothing if it is not.
  void Erase(std::uint64_t hash, Saga* saga);

  // The first saga under the hash for which `matches(saga)`; null = none.
  template <typename Predicate>
  [[nodiscard]] Saga* FindIf(std::uint64_t hash, const Predicate& matches) const {
    const Shard& shard = shards_[hash >> kShardShift];
    const std::uint32_t at = shard.Find(Tag(hash));
    return at == Shard::kNone ? nullptr : shard.slots[at].group.FindIf(matches);
  }

  // Somebody will look the hash up soon: brings its slot, then its saga, into the processor's
  // cache.
  void AnticipateSlot(std::uint64_t hash) const {
    const Shard& shard = shards_[hash >> kShardShift];
    if (shard.size > 0) {
      __builtin_prefetch(&shard.slots[shard.HomeOf(Tag(hash))]);
    }
  }
  void AnticipateSaga(std::uint64_t hash) const {
    const Shard& shard = shards_[hash >> kShardShift];
    if (const std::uint32_t at = shard.Find(Tag(hash)); at != Shard::kNone) {
      shard.slots[at].group.Anticipate();
    }
  }

  template <typename Visitor>
  void ForEach(std::uint64_t hash, const Visitor& visit) const {
    const Shard& shard = shards_[hash >> kShardShift];
    if (const std::uint32_t at = shard.Find(Tag(hash)); at != Shard::kNone) {
      shard.slots[at].group.ForEach(visit);
    }
  }

 private:
  static constexpr int kShardShift = 56;
  static constexpr std::uint32_t kFree = 0;

  struct Slot {
    std::uint32_t tag = kFree;
    SagaGroup group;
  };
  static_assert(sizeof(Slot) == 12);

  struct Shard {
    static constexpr std::uint32_t kNone = 0xffffffff;
    static constexpr std::size_t kCapacityMin = 8;

    [[nodiscard]] std::uint32_t Find(std::uint32_t tag) const;
    [[nodiscard]] std::uint32_t HomeOf(std::uint32_t tag) const;
    [[nodiscard]] std::uint32_t After(std::uint32_t at) const;
    void Resize(std::size_t capacity);
    void Place(Slot slot);
    void Vacate(std::uint32_t at);

    std::vector<Slot> slots;
    std::uint32_t size = 0;
  };

  // The bits that choose the shard are not among these. Never kFree.
  static std::uint32_t Tag(std::uint64_t hash) {
    return std::max(static_cast<std::uint32_t>(hash), kFree + 1);
  }

  std::array<Shard, 1U << (64 - kShardShift)> shards_;
};

}  // namespace sagalog
