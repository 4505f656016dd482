#include "projections/stale_index.h"

#include <algorithm>
#include <limits>

#include "projections/staleness.h"

namespace sagalog {
namespace {

constexpr std::int64_t kBeforeAll = std::numeric_limits<std::int64_t>::min();
constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();

// By moment, then by planning.
bool ComesBefore(const Deadline& a, const Deadline& b) {
  return a.moment != b.moment ? a.moment < b.moment
                              : a.saga->planned_sequence < b.saga->planned_sequence;
}

bool HasActionable(const std::vector<StaleSince>& reasons) {
  return std::any_of(reasons.begin(), reasons.end(),
                     [](const StaleSince& stale) { return IsActionable(stale.reason); });
}

bool IsListed(const Saga& saga) { return saga.places.stale_place != SagaPlaces::kNowhere; }

// Compensations are carried out by others.
StaleList ListFor(const Saga& saga, const EffectivePolicy& policy) {
  const bool acts = policy.on_stale != schema::OnStale::report && !saga.IsTerminal() &&
                    saga.state != State::compensating;
  return acts ? StaleList::kReaper : StaleList::kReported;
}

}  // namespace

void StaleIndex::Update(Saga& saga, const StalenessContext& context) {
  const bool listed = IsListed(saga);
  const auto moment = BecomesStaleAt(saga, context);
  const StaleList list = ListFor(saga, context.policy);
  if (listed && moment && ToMicros(*moment) == saga.places.stale_moment &&
      list == saga.places.stale_list) {
    return;
  }
  if (listed) {
    ListOf(saga).Erase(saga);
  }
  if (moment) {
    saga.places.stale_list = list;
    ListOf(saga).Insert(saga, ToMicros(*moment));
  }
}

void StaleIndex::Remove(Saga& saga) {
  if (IsListed(saga)) {
    ListOf(saga).Erase(saga);
  }
}

void StaleIndex::Move(Saga& saga, StaleList from, StaleList to) {
  if (!IsListed(saga) || saga.places.stale_list != from) {
    return;
  }
  ListOf(saga).Erase(saga);
  saga.places.stale_list = to;
  ListOf(saga).Insert(saga, saga.places.stale_moment);
}

std::optional<std::int64_t> StaleIndex::NextMoment(std::int64_t now) const {
  std::optional<std::int64_t> next;
  for (const Moments& list : lists_) {
    const auto moment = list.FirstAfter(now);
    next = moment && (!next || *moment < *next) ? moment : next;
  }
  return next;
}

std::optional<std::int64_t> StaleIndex::FirstForReaper() const {
  return lists_[static_cast<std::size_t>(StaleList::kReaper)].FirstAfter(kBeforeAll);
}

std::vector<Saga*> StaleIndex::Due(StaleList list, StoreTime now, std::size_t limit) const {
  const Moments& moments = lists_[static_cast<std::size_t>(list)];
  std::vector<Deadline> due;
  for (auto number = moments.BucketFrom(kBeforeAll);
       number && *number <= Moments::BucketOf(ToMicros(now)) && due.size() < limit;
       number = moments.BucketFrom(*number + 1)) {
    moments.AppendDue(*number, ToMicros(now), limit, due);
  }
  std::sort(due.begin(), due.end(), ComesBefore);
  std::vector<Saga*> sagas;
  sagas.reserve(due.size());
  for (const Deadline& deadline : due) {
    sagas.push_back(deadline.saga);
  }
  return sagas;
}

// Visits the deadlines of each bucket that have come, of all lists, bucket by bucket in order,
// within one in no order, until the visitor says false. It may reorder what it is given.
template <typename Visitor>
void StaleIndex::VisitDue(StoreTime now, const Visitor& visit) const {
  const std::int64_t last = Moments::BucketOf(ToMicros(now));
  std::vector<Deadline> due;
  for (std::int64_t from = kBeforeAll;;) {
    std::optional<std::int64_t> number;
    for (const Moments& list : lists_) {
      const auto bucket = list.BucketFrom(from);
      number = bucket && (!number || *bucket < *number) ? bucket : number;
    }
    if (!number || *number > last) {
      return;
    }
    due.clear();
    for (const Moments& list : lists_) {
      list.AppendDue(*number, ToMicros(now), kAll, due);
    }
    if (!visit(due)) {
      return;
    }
    from = *number + 1;
  }
}

std::vector<const Saga*> StaleIndex::Stale(StoreTime now, std::size_t limit) const {
  std::vector<const Saga*> rows;
  std::vector<const Saga*> others;
  VisitDue(now, [&](std::vector<Deadline>& due) {
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
  VisitDue(now, [&](const std::vector<Deadline>& due) {
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
