// Why and since when a saga is stale: pure functions of the saga, its policy and the time.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "projections/policy.h"
#include "projections/saga.h"

namespace sagalog {

struct StaleSince {
  schema::StaleReason reason;
  StoreTime since;

  friend bool operator==(const StaleSince&, const StaleSince&) = default;
};

// The store coming back after being away: when, and by which event.
struct StoreReturn {
  StoreTime at;
  Sequence sequence;

  friend bool operator==(const StoreReturn&, const StoreReturn&) = default;
};

// What staleness depends on besides the saga.
struct StalenessContext {
  EffectivePolicy policy;
  // Ascending.
  std::span<const StoreReturn> returns;
};

// The end of the reopening grace of a running saga, if a return of the store gave it one: the
// first return since its last heartbeat at which its lease was over or about to end.
[[nodiscard]] std::optional<StoreTime> GraceEnd(const Saga& saga, const StalenessContext& context);
// Whether the lease of a held saga is over but only its incarnation may acquire.
[[nodiscard]] bool IsInGrace(const Saga& saga, const StalenessContext& context, StoreTime now);
// When the open section of a saga becomes overdue: the earlier of its max_age and max_running.
[[nodiscard]] std::optional<StoreTime> SectionOverdueAt(const Saga& saga,
                                                        const EffectivePolicy& policy);

// All reasons that hold at `now`, the order of StaleReason; empty = not stale. Of the group
// owner_dead … lease_expired only the first that holds is listed.
[[nodiscard]] std::vector<StaleSince> StaleReasons(const Saga& saga,
                                                   const StalenessContext& context, StoreTime now);
// The earliest moment, past or future, at which StaleReasons is not empty if nothing happens;
// none = never.
[[nodiscard]] std::optional<StoreTime> BecomesStaleAt(const Saga& saga,
                                                      const StalenessContext& context);
// A moment after `now`, no later than the first at which StaleReasons is something else if nothing
// happens; none = it stays as it is.
[[nodiscard]] std::optional<StoreTime> StalenessChangesAt(const Saga& saga,
                                                          const StalenessContext& context,
                                                          StoreTime now);
// A reason somebody can act on: all but in_grace, section_open and cancel_pending.
[[nodiscard]] bool IsActionable(schema::StaleReason reason);

// When a held saga stops using its slot: the end of its lease, of its grace, or the moment its
// open section is overdue, whichever is last; none = it holds no slot.
[[nodiscard]] std::optional<StoreTime> SlotEnd(const Saga& saga, const StalenessContext& context);

}  // namespace sagalog
