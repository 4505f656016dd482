// dispatch, abort_dispatch, acquire, heartbeat, release: who owns a saga, and until when.
#include <algorithm>

#include <fmt/format.h>

#include "reactor/rules/rules.h"

namespace sagalog::rules {
namespace {

// Until when the owner, whose process ended, may still be finalising; none = it may not.
std::optional<StoreTime> FinalisingUntil(const Situation& situation,
                                         const EffectivePolicy& policy) {
  const ExitRecord* exit = situation.saga->Exit();
  if (exit == nullptr || !policy.finalize_grace || situation.saga->IsOwnerDead()) {
    return std::nullopt;
  }
  const StoreTime until = exit->at + *policy.finalize_grace;
  return situation.now() < until ? std::optional(until) : std::nullopt;
}

Refusal RefuseHeld(const Situation& situation, std::string_view why) {
  return Refuse(
      situation, RefusalCode::lease_held,
      fmt::format("{} holds {}{}", OwnerName(situation.saga->owner), situation.saga->id, why));
}

// Beyond the lease itself.
Refusal RefuseHeldUntil(const Situation& situation, StoreTime until, std::string_view why) {
  Refusal refusal = RefuseHeld(situation, why);
  refusal->expires_at = ToMicros(until);
  return refusal;
}

// The reasons why a dispatched or running saga stays with its holder.
Refusal CheckHolder(const Situation& situation, const InternedText& identity) {
  const Saga& saga = *situation.saga;
  if (!situation.IsLeaseOver()) {
    return RefuseHeld(situation, fmt::format(" until {}", FormatTime(saga.expires_at)));
  }
  if (saga.state == State::dispatched) {
    return nullptr;
  }
  const bool same = identity == saga.owner;
  const StalenessContext staleness = situation.Staleness();
  if (const auto until = situation.ReportedAliveUntil(); !same && until) {
    return RefuseHeldUntil(situation, *until, "; its lease is over, but it was reported alive");
  }
  if (const auto until = FinalisingUntil(situation, staleness.policy); !same && until) {
    return RefuseHeldUntil(situation, *until, "; its process ended, and it is finalising");
  }
  if (!same && IsInGrace(saga, staleness, situation.now())) {
    Refusal refusal =
        Refuse(situation, RefusalCode::in_grace,
               "the store was away: until the grace is over only the same owner may acquire");
    refusal->expires_at = ToMicros(*GraceEnd(saga, staleness));
    return refusal;
  }
  // Overdue or not: only a recovery says what became of the work inside.
  return CheckNoSection(situation);
}

Refusal CheckTakeover(const Situation& situation, const InternedText& identity) {
  const Saga& saga = *situation.saga;
  const auto limit = situation.Policy().max_recoveries;
  if (saga.state != State::running || identity == saga.owner || !limit ||
      saga.recoveries < static_cast<std::uint64_t>(*limit)) {
    return nullptr;
  }
  Refusal refusal = Refuse(
      situation, RefusalCode::limit_reached,
      fmt::format("recovered {} times already (max_recoveries {})", saga.recoveries, *limit));
  refusal->limit = *limit;
  refusal->actual = saga.recoveries;
  refusal->subject = "max_recoveries";
  return refusal;
}

}  // namespace

Refusal CheckDispatch(const Situation& situation) {
  const Saga& saga = *situation.saga;
  if (saga.IsHeld()) {
    return RefuseHeld(situation, situation.IsLeaseOver() ? "; its lease is over: recover it" : "");
  }
  if (saga.state != State::planned) {
    return nullptr;
  }
  if (Refusal refusal = CheckMayStart(situation)) {
    return refusal;
  }
  if (Refusal refusal = CheckSlots(situation)) {
    return refusal;
  }
  const auto limit = situation.Policy().max_dispatch_failures;
  if (!limit || saga.dispatch_failures < static_cast<std::uint64_t>(*limit)) {
    return nullptr;
  }
  Refusal refusal = Refuse(situation, RefusalCode::limit_reached,
                           fmt::format("{} dispatches in a row failed (max_dispatch_failures {})",
                                       saga.dispatch_failures, *limit));
  refusal->limit = *limit;
  refusal->actual = saga.dispatch_failures;
  refusal->subject = "max_dispatch_failures";
  return refusal;
}

void ActDispatch(const Situation& situation, Decision& decision) {
  const commands::DispatchT& dispatch = *situation.command.body.AsDispatch();
  const Duration ttl = dispatch.ttl ? Duration(*dispatch.ttl) : situation.Policy().dispatch_ttl;
  events::DispatchedT event;
  event.owner = CopyOwner(*dispatch.owner);
  event.token = situation.context.next_token.value();
  event.ttl = ttl.count();
  event.expires_at = ToMicros(situation.now() + ttl);
  decision.token = situation.context.next_token;
  Append(decision, situation, std::move(event));
}

Refusal CheckAbortDispatch(const Situation& situation) {
  const commands::AbortDispatchT& abort = *situation.command.body.AsAbortDispatch();
  if (situation.saga->state == State::running) {
    return RefuseHeld(situation, ": its worker has acquired it");
  }
  return abort.then == schema::AbortThen::fail
             ? RequireCompensation(situation, abort.no_compensation_reason)
             : nullptr;
}

void ActAbortDispatch(const Situation& situation, Decision& decision) {
  const commands::AbortDispatchT& abort = *situation.command.body.AsAbortDispatch();
  events::DispatchAbortedT aborted;
  aborted.reason = abort.reason;
  aborted.then = abort.then;
  Append(decision, situation, std::move(aborted));
  if (abort.then == schema::AbortThen::fail) {
    events::TerminalT terminal;
    terminal.state = State::failed;
    terminal.reason = abort.reason;
    terminal.no_compensation_reason = abort.no_compensation_reason;
    terminal.by_owner = true;
    Append(decision, situation, std::move(terminal));
  }
}

Refusal CheckAcquire(const Situation& situation) {
  const commands::AcquireT& acquire = *situation.command.body.AsAcquire();
  const Saga& saga = *situation.saga;
  const InternedText identity = OwnerIdentity(acquire.owner.get());
  // The general checks let a dispatch token through only where it is the valid one.
  if (saga.IsHeld() && !acquire.dispatch_token) {
    if (Refusal refusal = CheckHolder(situation, identity)) {
      return refusal;
    }
  }
  if (saga.IsProvenDead(identity)) {
    return Refuse(situation, RefusalCode::owner_dead,
                  "this incarnation was proven dead: acquire as a new one");
  }
  if (saga.state == State::planned) {
    if (Refusal refusal = CheckMayStart(situation)) {
      return refusal;
    }
  }
  if (saga.state == State::compensating) {
    return nullptr;
  }
  if (Refusal refusal = CheckSlots(situation)) {
    return refusal;
  }
  return CheckTakeover(situation, identity);
}

void ActAcquire(const Situation& situation, Decision& decision) {
  const commands::AcquireT& acquire = *situation.command.body.AsAcquire();
  const Saga& saga = *situation.saga;
  const Duration ttl = acquire.ttl ? Duration(*acquire.ttl) : situation.Policy().lease_ttl;
  events::LeasedT event;
  event.owner = CopyOwner(*acquire.owner);
  event.token = situation.context.next_token.value();
  event.ttl = ttl.count();
  event.expires_at = ToMicros(situation.now() + ttl);
  if (saga.state == State::running) {
    const bool same = OwnerIdentity(acquire.owner.get()) == saga.owner;
    event.how = same ? schema::LeaseHow::reacquired : schema::LeaseHow::taken_over;
    if (!same) {
      event.taken_from = CopyOwner(saga.owner);
    }
  }
  decision.token = situation.context.next_token;
  Append(decision, situation, std::move(event));
}

void ActHeartbeat(const Situation& situation, Decision& decision) {
  const commands::HeartbeatT& heartbeat = *situation.command.body.AsHeartbeat();
  const Saga& saga = *situation.saga;
  decision.cancel_pending = saga.IsCancelPending();
  const Duration ttl = heartbeat.ttl ? Duration(*heartbeat.ttl) : saga.ttl;
  const StoreTime expires_at = situation.now() + ttl;
  if (expires_at <= saga.expires_at && heartbeat.progress.empty()) {
    return;
  }
  events::HeartbeatedT event;
  event.expires_at = ToMicros(std::max(expires_at, saga.expires_at));
  event.progress = heartbeat.progress;
  Append(decision, situation, std::move(event));
}

Refusal CheckNoSection(const Situation& situation) {
  return situation.saga->Section() != nullptr ? RefuseOpenSection(situation) : nullptr;
}

void ActRelease(const Situation& situation, Decision& decision) {
  events::ReleasedT event;
  event.reason = situation.command.body.AsRelease()->reason;
  Append(decision, situation, std::move(event));
}

}  // namespace sagalog::rules
