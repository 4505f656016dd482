// Stale sagas, by the moment of becoming stale.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "projections/deadline_index.h"
#include "projections/queues.h"

namespace sagalog {

// A sweep costs what it finds: it looks at the buckets whose time has come and at nothing else.
class StaleIndex {
 public:
  // `queues` is borrowed, for the policies.
  explicit StaleIndex(Queues& queues) : queues_(queues) {}

  // Moves the saga to its moment.
  void Update(Saga& saga, const StalenessContext& context);
  void Remove(Saga& saga);

  // Those with an actionable reason first, then by the moment, then by planning.
  [[nodiscard]] std::vector<const Saga*> Stale(StoreTime now, std::size_t limit) const;
  [[nodiscard]] std::array<std::uint64_t, 16> CountByReason(StoreTime now) const;
  // The next moment after `now` that is listed.
  [[nodiscard]] std::optional<std::int64_t> NextMoment(std::int64_t now) const {
    return moments_.FirstAfter(now);
  }

 private:
  using Moments = DeadlineIndex<&SagaPlaces::stale_moment, &SagaPlaces::stale_place, 17>;

  Queues& queues_;
  Moments moments_;
};

}  // namespace sagalog
