// Sagas by a moment, in buckets: moving one costs the same however many there are.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "projections/packed_pointer.h"
#include "projections/saga.h"
#include "schema/check.h"

namespace sagalog {

struct Deadline {
  std::int64_t moment;
  Saga* saga;
};

// A saga remembers its moment and its place within its bucket (the two members of SagaPlaces named
// by the template), so that it is found at once. Where it left, a gap stays until the bucket is
// empty or mostly gaps: filling it would mean touching another saga, and memory is slow. Within a
// bucket there is no order: readers sort what they find.
template <std::int64_t SagaPlaces::*kMoment, std::uint32_t SagaPlaces::*kPlace, int kBucketBits>
class DeadlineIndex {
 public:
  [[nodiscard]] static std::int64_t BucketOf(std::int64_t moment) { return moment >> kBucketBits; }

  void Insert(Saga& saga, std::int64_t moment) {
    const std::int64_t number = BucketOf(moment);
    Bucket& bucket = BucketFor(number);
    auto& entries = bucket.entries;
    if (entries.size() == entries.capacity()) {
      // A quarter instead of twice as much: entries are cheap to copy, and there are many buckets.
      entries.reserve(entries.size() + std::max<std::size_t>(4, entries.size() / 4));
    }
    saga.places.*kMoment = moment;
    saga.places.*kPlace = static_cast<std::uint32_t>(entries.size());
    entries.push_back(
        {static_cast<std::uint32_t>(moment - Begin(number)), PackedPointer<Saga>(&saga)});
    ++bucket.live;
  }

  // The saga must be listed.
  void Erase(Saga& saga) {
    const std::int64_t number = BucketOf(saga.places.*kMoment);
    Bucket& bucket = BucketFor(number);
    const std::uint32_t place = saga.places.*kPlace;
    CHECK(place < bucket.entries.size());
    saga.places.*kPlace = SagaPlaces::kNowhere;
    bucket.entries[place].saga = {};
    --bucket.live;
    Tidy(number, bucket);
  }

  // The number of the first bucket; none = empty.
  [[nodiscard]] std::optional<std::int64_t> FirstBucket() const {
    return buckets_.empty() ? std::nullopt : std::optional(buckets_.begin()->first);
  }

  // Takes the first bucket out: calls `take(deadline)` for each in it. There must be one.
  template <typename Take>
  void TakeFirst(const Take& take) {
    const std::int64_t number = buckets_.begin()->first;
    const Entries entries = std::exchange(buckets_.begin()->second.entries, {});
    Retire(number);
    for (const Entry& entry : entries) {
      if (Saga* saga = entry.saga.get()) {
        saga->places.*kPlace = SagaPlaces::kNowhere;
        take(Deadline{Begin(number) + entry.offset, saga});
      }
    }
  }

  // Takes out of the first bucket whose moment is at or before `now` and calls `pop(saga)` for
  // each; the first moment that stays in that bucket. There must be one.
  template <typename Pop>
  std::optional<std::int64_t> SweepFirst(std::int64_t now, const Pop& pop) {
    const std::int64_t number = buckets_.begin()->first;
    Bucket& bucket = buckets_.begin()->second;
    std::optional<std::int64_t> stays;
    for (Entry& entry : bucket.entries) {
      Saga* saga = entry.saga.get();
      const std::int64_t moment = Begin(number) + entry.offset;
      if (saga == nullptr) {
        continue;
      }
      if (moment > now) {
        stays = stays ? std::min(*stays, moment) : moment;
        continue;
      }
      entry.saga = {};
      --bucket.live;
      saga->places.*kPlace = SagaPlaces::kNowhere;
      pop(*saga);
    }
    Tidy(number, bucket);
    return stays;
  }

  // The number of the first bucket from `number` on; none = there is none.
  [[nodiscard]] std::optional<std::int64_t> BucketFrom(std::int64_t number) const {
    const auto found = buckets_.lower_bound(number);
    return found == buckets_.end() ? std::nullopt : std::optional(found->first);
  }

  // Appends the deadlines of a bucket that have come at `now`, in no order, until `due` has
  // `limit`. Nothing if there is no such bucket.
  void AppendDue(std::int64_t number, std::int64_t now, std::size_t limit,
                 std::vector<Deadline>& due) const {
    const auto found = buckets_.find(number);
    if (found == buckets_.end()) {
      return;
    }
    for (const Entry& entry : found->second.entries) {
      if (due.size() >= limit) {
        return;
      }
      const std::int64_t moment = Begin(number) + entry.offset;
      if (Saga* saga = entry.saga.get(); saga != nullptr && moment <= now) {
        due.push_back({moment, saga});
      }
    }
  }

  // The first moment after `now`.
  [[nodiscard]] std::optional<std::int64_t> FirstAfter(std::int64_t now) const {
    for (auto it = buckets_.lower_bound(BucketOf(now)); it != buckets_.end(); ++it) {
      std::optional<std::int64_t> first;
      for (const Entry& entry : it->second.entries) {
        const std::int64_t moment = Begin(it->first) + entry.offset;
        if (entry.saga.get() != nullptr && moment > now && (!first || moment < *first)) {
          first = moment;
        }
      }
      if (first) {
        return first;
      }
    }
    return std::nullopt;
  }

 private:
  struct Entry {
    // From the beginning of the bucket.
    std::uint32_t offset;
    // Null = a gap.
    PackedPointer<Saga> saga;
  };
  static_assert(sizeof(Entry) == 12 && kBucketBits <= 32);
  using Entries = std::vector<Entry>;
  struct Bucket {
    Entries entries;
    std::uint32_t live = 0;
  };
  using Buckets = std::map<std::int64_t, Bucket>;
  // Few sagas empty and refill their buckets with each heartbeat: their memory is kept.
  static constexpr std::size_t kSparesMax = 8;
  static constexpr std::size_t kSpareCapacityMax = 64;
  // Buckets smaller than this keep their gaps.
  static constexpr std::size_t kTidyMin = 64;

  static std::int64_t Begin(std::int64_t number) { return number << kBucketBits; }

  Bucket& BucketFor(std::int64_t number) {
    const auto [found, is_new] = by_number_.try_emplace(number, nullptr);
    if (!is_new) {
      return *found->second;
    }
    if (spares_.empty()) {
      found->second = &buckets_[number];
    } else {
      auto node = std::move(spares_.back());
      spares_.pop_back();
      node.key() = number;
      found->second = &buckets_.insert(std::move(node)).position->second;
    }
    return *found->second;
  }

  // After entries became gaps.
  void Tidy(std::int64_t number, Bucket& bucket) {
    if (bucket.live == 0) {
      Retire(number);
      return;
    }
    if (bucket.entries.size() < kTidyMin || bucket.live * std::size_t{4} > bucket.entries.size()) {
      return;
    }
    std::erase_if(bucket.entries, [](const Entry& entry) { return entry.saga.get() == nullptr; });
    for (std::size_t i = 0; i < bucket.entries.size(); ++i) {
      bucket.entries[i].saga.get()->places.*kPlace = static_cast<std::uint32_t>(i);
    }
    bucket.entries.shrink_to_fit();
  }

  void Retire(std::int64_t number) {
    by_number_.erase(number);
    auto node = buckets_.extract(number);
    if (spares_.size() < kSparesMax && node.mapped().entries.capacity() <= kSpareCapacityMax) {
      node.mapped().entries.clear();
      node.mapped().live = 0;
      spares_.push_back(std::move(node));
    }
  }

  // For the order, and for finding one at once.
  Buckets buckets_;
  boost::unordered_flat_map<std::int64_t, Bucket*> by_number_;
  std::vector<typename Buckets::node_type> spares_;
};

}  // namespace sagalog
