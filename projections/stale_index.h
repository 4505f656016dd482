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

  // Moves the saga to its moment; one that was put aside comes back.
  void Update(Saga& saga, const StalenessContext& context);
  void Remove(Saga& saga);

  // Those with an actionable reason first, then by the moment, then by planning.
  [[nodiscard]] std::vector<const Saga*> Stale(StoreTime now, std::size_t limit) const;
  [[nodiscard]] std::array<std::uint64_t, 16> CountByReason(StoreTime now) const;
  // The next moment after `now` that is listed.
  [[nodiscard]] std::optional<std::int64_t> NextMoment(std::int64_t now) const;

  // Of a list: at most `limit` sagas whose moment has come. Costs what it returns. The moments
  // ascend, but for those within one eighth of a second.
  [[nodiscard]] std::vector<Saga*> Due(StaleList list, StoreTime now, std::size_t limit) const;
  // The first moment on the reaper's list, come or not.
  [[nodiscard]] std::optional<std::int64_t> FirstForReaper() const;
  // From the reaper's list to those put aside, and back; nothing when it is not there.
  void PutAside(Saga& saga) { Move(saga, StaleList::kReaper, StaleList::kAside); }
  void BringBack(Saga& saga) { Move(saga, StaleList::kAside, StaleList::kReaper); }

 private:
  using Moments = DeadlineIndex<&SagaPlaces::stale_moment, &SagaPlaces::stale_place, 17>;

  [[nodiscard]] Moments& ListOf(const Saga& saga) {
    return lists_[static_cast<std::size_t>(saga.places.stale_list)];
  }
  void Move(Saga& saga, StaleList from, StaleList to);
  template <typename Visitor>
  void VisitDue(StoreTime now, const Visitor& visit) const;

  Queues& queues_;
  std::array<Moments, 3> lists_;
};

}  // namespace sagalog
