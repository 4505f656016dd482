#include "projections/staleness.h"

#include <algorithm>

namespace sagalog {
namespace {

using schema::StaleReason;

// The end of the lease of a saga whose process exited, once its finaliser's grace is over too.
StoreTime ExitedAt(const Saga& saga, const EffectivePolicy& policy) {
  const Duration grace = policy.finalize_grace.value_or(Duration::zero());
  return std::max(saga.expires_at, saga.Exit()->at + grace);
}

// The first reason that holds of a held saga: owner_dead … lease_expired.
std::optional<StaleSince> SilenceOf(const Saga& saga, const StalenessContext& context,
                                    StoreTime now) {
  if (!saga.IsHeld()) {
    return std::nullopt;
  }
  if (saga.IsOwnerDead()) {
    return StaleSince{StaleReason::owner_dead, *saga.extras->reported_dead_at};
  }
  const bool over = now >= saga.expires_at;
  if (over && IsInGrace(saga, context, now)) {
    return StaleSince{StaleReason::in_grace, saga.expires_at};
  }
  if (const auto overdue_at = SectionOverdueAt(saga, context.policy);
      overdue_at && now >= *overdue_at) {
    return StaleSince{StaleReason::section_overdue, *overdue_at};
  }
  if (!over) {
    return std::nullopt;
  }
  if (saga.Section() != nullptr) {
    return StaleSince{StaleReason::section_open, saga.expires_at};
  }
  if (saga.state == State::dispatched) {
    return StaleSince{StaleReason::dispatch_expired, saga.expires_at};
  }
  if (saga.Exit() != nullptr) {
    const StoreTime exited_at = ExitedAt(saga, context.policy);
    return now >= exited_at ? std::optional(StaleSince{StaleReason::exited, exited_at})
                            : std::nullopt;
  }
  return StaleSince{StaleReason::lease_expired, saga.expires_at};
}

std::optional<StoreTime> MaxRunningAt(const Saga& saga, const EffectivePolicy& policy) {
  if (saga.state != State::running || !policy.max_running) {
    return std::nullopt;
  }
  return saga.acquired_at + *policy.max_running;
}

std::optional<StoreTime> NoProgressAt(const Saga& saga, const EffectivePolicy& policy) {
  if (saga.state != State::running || !policy.progress_timeout) {
    return std::nullopt;
  }
  StoreTime last = saga.acquired_at;
  if (saga.extras && saga.extras->progress_at) {
    last = std::max(last, *saga.extras->progress_at);
  }
  return last + *policy.progress_timeout;
}

std::optional<StoreTime> DependencyDeadAt(const Saga& saga) {
  if (saga.state != State::planned || !saga.extras) {
    return std::nullopt;
  }
  std::optional<StoreTime> first;
  for (const DependencyRecord& dependency : saga.extras->depends_on) {
    if (dependency.standing == DependencyRecord::Standing::kDead) {
      first = first ? std::min(*first, dependency.dead_since) : dependency.dead_since;
    }
  }
  return first;
}

std::optional<StoreTime> DispatchExhaustedAt(const Saga& saga, const EffectivePolicy& policy) {
  if (saga.state != State::planned || !policy.max_dispatch_failures ||
      saga.dispatch_failures == 0 ||
      saga.dispatch_failures < static_cast<std::uint64_t>(*policy.max_dispatch_failures)) {
    return std::nullopt;
  }
  return saga.state_since;
}

std::optional<StaleSince> CompensationsOf(const Saga& saga) {
  if (saga.compensation_status == CompensationStatus::owed) {
    return StaleSince{StaleReason::compensation_owed, saga.state_since};
  }
  if (saga.compensation_status != CompensationStatus::failed) {
    return std::nullopt;
  }
  std::optional<StoreTime> first;
  for (const CompensationRecord& record : saga.compensations) {
    if (record.state == CompensationState::failed && record.claim && record.claim->failed_at) {
      first = first ? std::min(*first, *record.claim->failed_at) : *record.claim->failed_at;
    }
  }
  return StaleSince{StaleReason::compensation_failed, first.value_or(saga.state_since)};
}

}  // namespace

std::optional<StoreTime> GraceEnd(const Saga& saga, const StalenessContext& context) {
  if (saga.state != State::running || !context.policy.reopen_grace) {
    return std::nullopt;
  }
  const Duration grace = *context.policy.reopen_grace;
  // Returns are ascending in sequence and time, so both conditions hold from some return on.
  const auto found = std::partition_point(
      context.returns.begin(), context.returns.end(), [&](const StoreReturn& back) {
        return back.sequence < saga.lease_sequence || back.at + grace < saga.expires_at;
      });
  if (found == context.returns.end()) {
    return std::nullopt;
  }
  return found->at + grace;
}

bool IsInGrace(const Saga& saga, const StalenessContext& context, StoreTime now) {
  if (saga.state != State::running || now < saga.expires_at || saga.IsOwnerDead()) {
    return false;
  }
  const auto end = GraceEnd(saga, context);
  return end && now < *end;
}

std::optional<StoreTime> SectionOverdueAt(const Saga& saga, const EffectivePolicy& policy) {
  const SectionRecord* section = saga.Section();
  if (section == nullptr) {
    return std::nullopt;
  }
  StoreTime overdue_at = section->since + section->max_age;
  if (policy.max_running) {
    overdue_at = std::min(overdue_at, saga.acquired_at + *policy.max_running);
  }
  return overdue_at;
}

std::vector<StaleSince> StaleReasons(const Saga& saga, const StalenessContext& context,
                                     StoreTime now) {
  std::vector<StaleSince> reasons;
  if (const auto silence = SilenceOf(saga, context, now)) {
    reasons.push_back(*silence);
  }
  const auto add = [&](StaleReason reason, std::optional<StoreTime> since) {
    if (since && now >= *since) {
      reasons.push_back({reason, *since});
    }
  };
  add(StaleReason::max_running, MaxRunningAt(saga, context.policy));
  add(StaleReason::no_progress, NoProgressAt(saga, context.policy));
  if (saga.extras && !saga.IsTerminal()) {
    add(StaleReason::cancel_pending, saga.extras->cancel_requested_at);
  }
  add(StaleReason::dependency_dead, DependencyDeadAt(saga));
  add(StaleReason::dispatch_exhausted, DispatchExhaustedAt(saga, context.policy));
  if (const auto compensations = CompensationsOf(saga)) {
    reasons.push_back(*compensations);
  }
  return reasons;
}

std::optional<StoreTime> BecomesStaleAt(const Saga& saga, const StalenessContext& context) {
  std::optional<StoreTime> first;
  const auto consider = [&first](std::optional<StoreTime> moment) {
    if (moment && (!first || *moment < *first)) {
      first = moment;
    }
  };
  if (saga.IsHeld()) {
    if (saga.IsOwnerDead()) {
      consider(*saga.extras->reported_dead_at);
    }
    const auto grace_end = GraceEnd(saga, context);
    const bool graced = grace_end && *grace_end > saga.expires_at;
    const bool finalising = saga.state == State::running && saga.Exit() != nullptr &&
                            saga.Section() == nullptr && !graced;
    consider(finalising ? ExitedAt(saga, context.policy) : saga.expires_at);
    consider(SectionOverdueAt(saga, context.policy));
    consider(MaxRunningAt(saga, context.policy));
    consider(NoProgressAt(saga, context.policy));
  }
  if (saga.extras && !saga.IsTerminal()) {
    consider(saga.extras->cancel_requested_at);
  }
  consider(DependencyDeadAt(saga));
  consider(DispatchExhaustedAt(saga, context.policy));
  if (const auto compensations = CompensationsOf(saga)) {
    consider(compensations->since);
  }
  return first;
}

std::optional<StoreTime> StalenessChangesAt(const Saga& saga, const StalenessContext& context,
                                            StoreTime now) {
  if (!saga.IsHeld()) {
    return std::nullopt;  // what is said of it holds already
  }
  std::optional<StoreTime> first;
  const auto consider = [&](std::optional<StoreTime> moment) {
    if (moment && *moment > now && (!first || *moment < *first)) {
      first = moment;
    }
  };
  if (!saga.IsOwnerDead()) {
    consider(saga.expires_at);
    consider(SectionOverdueAt(saga, context.policy));
    if (const auto grace_end = GraceEnd(saga, context); grace_end > saga.expires_at) {
      consider(grace_end);
    }
    if (saga.Exit() != nullptr) {
      consider(ExitedAt(saga, context.policy));
    }
  }
  consider(MaxRunningAt(saga, context.policy));
  consider(NoProgressAt(saga, context.policy));
  return first;
}

bool IsActionable(StaleReason reason) {
  return reason != StaleReason::in_grace && reason != StaleReason::section_open &&
         reason != StaleReason::cancel_pending;
}

std::optional<StoreTime> SlotEnd(const Saga& saga, const StalenessContext& context) {
  if (!saga.IsHeld()) {
    return std::nullopt;
  }
  StoreTime end = saga.expires_at;
  if (const auto grace_end = GraceEnd(saga, context); grace_end && !saga.IsOwnerDead()) {
    end = std::max(end, *grace_end);
  }
  if (const auto overdue_at = SectionOverdueAt(saga, context.policy)) {
    end = std::max(end, *overdue_at);
  }
  return end;
}

}  // namespace sagalog
