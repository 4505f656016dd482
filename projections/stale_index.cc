#include "projections/stale_index.h"

#include <algorithm>

#include "projections/staleness.h"

namespace sagalog {
namespace {

// By moment, then by planning.
bool ComesBefore(const Deadline& a, const Deadline& b) {
  return a.moment != b.moment ? a.moment < b.moment
                              : a.saga->planned_sequence < b.saga->planned_sequence;
}

bool HasActionable(const std::vector<StaleSince>& reasons) {
  return std::any_of(reasons.begin(), reasons.end(),
                     [](const StaleSince& stale) { return IsActionable(stale.reason); });
}

}  // namespace

void StaleIndex::Update(Saga& saga, const StalenessContext& context) {
  const bool listed = saga.places.stale_place != SagaPlaces::kNowhere;
  const auto moment = BecomesStaleAt(saga, context);
  if (listed && moment && ToMicros(*moment) == saga.places.stale_moment) {
    return;
  }
  if (listed) {
    moments_.Erase(saga);
  }
  if (moment) {
    moments_.Insert(saga, ToMicros(*moment));
  }
}

void StaleIndex::Remove(Saga& saga) {
  if (saga.places.stale_place != SagaPlaces::kNowhere) {
    moments_.Erase(saga);
  }
}

std::vector<const Saga*> StaleIndex::Stale(StoreTime now, std::size_t limit) const {
  std::vector<const Saga*> rows;
  std::vector<const Saga*> others;
  moments_.VisitDue(ToMicros(now), [&](std::vector<Deadline>& due) {
    std::sort(due.begin(), due.end(), ComesBefore);
    for (const Deadline& deadline : due) {
      if (rows.size() == limit) {
        return false;
      }
      const auto reasons = StaleReasons(*deadline.saga, queues_.ContextOf(*deadline.saga), now);
      if (HasActionable(reasons)) {
        rows.push_back(deadline.saga);
      } else if (!reasons.empty() && others.size() < limit) {
        others.push_back(deadline.saga);
      }
    }
    return true;
  });
  others.resize(std::min(others.size(), limit - rows.size()));
  rows.insert(rows.end(), others.begin(), others.end());
  return rows;
}

std::array<std::uint64_t, 16> StaleIndex::CountByReason(StoreTime now) const {
  std::array<std::uint64_t, 16> counts{};
  moments_.VisitDue(ToMicros(now), [&](const std::vector<Deadline>& due) {
    for (const Deadline& deadline : due) {
      for (const StaleSince& stale :
           StaleReasons(*deadline.saga, queues_.ContextOf(*deadline.saga), now)) {
        ++counts[static_cast<std::size_t>(stale.reason)];
      }
    }
    return true;
  });
  return counts;
}

}  // namespace sagalog
