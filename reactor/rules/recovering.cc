// recover, report_owner, force_release: what others may do to a saga that somebody owns.
#include <algorithm>

#include <fmt/format.h>

#include "reactor/rules/rules.h"

namespace sagalog::rules {
namespace {

using schema::RecoverDecision;
using schema::StaleReason;
using schema::Verdict;

bool IsOfCompensations(StaleReason reason) {
  return reason == StaleReason::compensation_owed || reason == StaleReason::compensation_failed;
}

bool Holds(const std::vector<StaleSince>& reasons, StaleReason reason) {
  return std::any_of(reasons.begin(), reasons.end(),
                     [reason](const StaleSince& row) { return row.reason == reason; });
}

// Whether it is stale at all, and whether that lets anybody act on it.
Refusal CheckStaleness(const Situation& situation, const std::vector<StaleSince>& reasons) {
  const Saga& saga = *situation.saga;
  if (std::all_of(reasons.begin(), reasons.end(),
                  [](const StaleSince& row) { return IsOfCompensations(row.reason); })) {
    return Refuse(situation, RefusalCode::not_stale, "nothing is wrong with it");
  }
  if (Holds(reasons, StaleReason::in_grace)) {
    Refusal refusal = Refuse(situation, RefusalCode::in_grace,
                             "the store was away: its owner may still come back");
    refusal->expires_at = ToMicros(*GraceEnd(saga, situation.Staleness()));
    return refusal;
  }
  const bool only_silent = reasons.size() == 1 && reasons[0].reason == StaleReason::lease_expired;
  if (const auto until = situation.ReportedAliveUntil(); only_silent && until) {
    Refusal refusal =
        Refuse(situation, RefusalCode::owner_alive, "its lease is over, but it was reported alive");
    refusal->since = ToMicros(*saga.extras->reported_alive_at);
    refusal->expires_at = ToMicros(*until);
    return refusal;
  }
  return nullptr;
}

Refusal CheckDecision(const Situation& situation, const commands::RecoverT& recover) {
  const Saga& saga = *situation.saga;
  const RecoverDecision decision = *recover.decision;
  if (saga.Section() != nullptr && (situation.SectionHolds() || recover.section_outcome.empty())) {
    Refusal refusal = RefuseOpenSection(situation);
    if (!situation.SectionHolds()) {
      refusal->detail += ": say what became of it (section_outcome)";
    }
    return refusal;
  }
  if (decision == RecoverDecision::complete && recover.gate != schema::Gate::pass) {
    return Refuse(situation, RefusalCode::gate_missing,
                  "an exit is no success: complete needs a passed gate");
  }
  if (decision != RecoverDecision::requeue) {
    const bool needs_one =
        decision == RecoverDecision::fail || decision == RecoverDecision::compensate;
    return needs_one ? RequireCompensation(situation, decision == RecoverDecision::fail
                                                          ? recover.no_compensation_reason
                                                          : std::string())
                     : nullptr;
  }
  if (saga.IsCancelPending()) {
    return RefuseCancelPending(situation);
  }
  const auto limit = situation.Policy().max_recoveries;
  if (saga.state == State::running && recover.counts && limit &&
      saga.recoveries >= static_cast<std::uint64_t>(*limit)) {
    Refusal refusal = Refuse(
        situation, RefusalCode::limit_reached,
        fmt::format("recovered {} times already (max_recoveries {})", saga.recoveries, *limit));
    refusal->limit = *limit;
    refusal->actual = saga.recoveries;
    refusal->subject = "max_recoveries";
    return refusal;
  }
  return nullptr;
}

State StateAfter(RecoverDecision decision) {
  switch (decision) {
    case RecoverDecision::fail: return State::failed;
    case RecoverDecision::compensate: return State::compensating;
    case RecoverDecision::quarantine: return State::quarantined;
    case RecoverDecision::cancel: return State::cancelled;
    case RecoverDecision::complete: return State::completed;
    case RecoverDecision::requeue: break;
  }
  return State::planned;
}

// What a report about `identity` proves of the holder.
Verdict Judge(const Saga& saga, const schema::OwnerT& identity, Verdict reported) {
  if (saga.state == State::planned) {
    return Verdict::unknown;
  }
  const schema::OwnerT holder = OwnerFromIdentity(saga.owner);
  if (identity.host.empty() || identity.host != holder.host) {
    return Verdict::unknown;
  }
  if (identity.boot_id != holder.boot_id) {
    // A boot id that one side does not know proves nothing.
    return identity.boot_id.empty() || holder.boot_id.empty() ? Verdict::unknown : Verdict::dead;
  }
  if (identity.pid_namespace != holder.pid_namespace || identity.pid != holder.pid) {
    return Verdict::unknown;
  }
  // A start time that one side does not know proves nothing, and hides nothing either.
  const bool both_known = identity.pid_start != 0 && holder.pid_start != 0;
  return both_known && identity.pid_start != holder.pid_start ? Verdict::dead : reported;
}

// The event of what a report proves about the saga's holder; nothing when the holder is known to
// be dead, because dead stays dead.
template <typename Report>
std::optional<events::OwnerReportedT> Record(const Saga& saga, const Report& report) {
  if (saga.IsOwnerDead()) {
    return std::nullopt;
  }
  events::OwnerReportedT event;
  event.identity = CopyOwner(*report.identity);
  event.reported = *report.verdict;
  // Who was proven dead in an earlier attempt is so in this one, whatever is reported.
  event.verdict = saga.state != State::planned && saga.IsProvenDead(saga.owner)
                      ? Verdict::dead
                      : Judge(saga, *report.identity, *report.verdict);
  event.evidence = report.evidence;
  return event;
}

// What the process itself holds, by the name it gives or by whatever name.
std::vector<const Saga*> HeldByProcess(const Projections& state, const schema::OwnerT& identity) {
  if (!identity.owner.empty()) {
    return state.HeldBy(OwnerIdentity(&identity));
  }
  std::vector<const Saga*> held;
  if (identity.pid == 0) {
    return held;
  }
  for (const Saga* saga : state.HeldByBoot(identity.host, identity.boot_id)) {
    const schema::OwnerT holder = OwnerFromIdentity(saga->owner);
    if (holder.pid_namespace == identity.pid_namespace && holder.pid == identity.pid &&
        holder.pid_start == identity.pid_start) {
      held.push_back(saga);
    }
  }
  return held;
}

// Whether `boot` was first granted a saga after the identity's own boot was, as far as the store
// remembers.
bool IsNewerBoot(const StoreFacts& facts, const schema::OwnerT& identity, std::string_view boot) {
  bool own_seen = false;
  for (std::size_t i = 0; facts.boots && i < facts.boots->size(); ++i) {
    const SeenBoot& seen = (*facts.boots)[i];
    if (seen.host != identity.host) {
      continue;
    }
    if (seen.boot_id == boot) {
      return own_seen;
    }
    own_seen = own_seen || seen.boot_id == identity.boot_id;
  }
  return false;
}

// What older boots of the identity's host hold. One that took a saga after everything that the
// identity's boot holds is a newer boot, and is left alone. Where that one holds nothing any more,
// the order of the first grants tells.
std::vector<const Saga*> HeldByOlderBoots(const Projections& state,
                                          const schema::OwnerT& identity) {
  std::vector<const Saga*> held;
  if (identity.boot_id.empty()) {
    return held;
  }
  const std::vector<const Saga*> own = state.HeldByBoot(identity.host, identity.boot_id);
  for (const std::string& boot : state.BootsOf(identity.host)) {
    const bool newer = own.empty() && IsNewerBoot(state.facts(), identity, boot);
    if (boot != identity.boot_id && !newer) {
      const std::vector<const Saga*> of_boot = state.HeldByBoot(identity.host, boot);
      held.insert(held.end(), of_boot.begin(), of_boot.end());
    }
  }
  if (!own.empty()) {
    const Token newest = (*std::ranges::max_element(own, {}, &Saga::token))->token;
    std::erase_if(held, [newest](const Saga* saga) { return saga->token > newest; });
  }
  return held;
}

}  // namespace

Refusal CheckRecover(const Situation& situation) {
  const commands::RecoverT& recover = *situation.command.body.AsRecover();
  const Saga& saga = *situation.saga;
  if (*recover.observed != saga.version.value()) {
    return Refuse(situation, RefusalCode::version_conflict,
                  fmt::format("observed version {}, but it is {} now", *recover.observed,
                              saga.version.value()));
  }
  const auto reasons = StaleReasons(saga, situation.Staleness(), situation.now());
  if (Refusal refusal = CheckStaleness(situation, reasons)) {
    return refusal;
  }
  if (Refusal refusal = CheckDecision(situation, recover)) {
    return refusal;
  }
  return *recover.decision == RecoverDecision::requeue && !saga.IsHeld()
             ? Refuse(situation, RefusalCode::wrong_state, "nobody owns it: it is planned already")
             : nullptr;
}

void ActRecover(const Situation& situation, Decision& decision) {
  const commands::RecoverT& recover = *situation.command.body.AsRecover();
  const Saga& saga = *situation.saga;
  events::RecoveredT event;
  event.decision = *recover.decision;
  event.observed = *recover.observed;
  for (const StaleSince& row : StaleReasons(saga, situation.Staleness(), situation.now())) {
    event.reasons.push_back(row.reason);
  }
  event.evidence = recover.evidence;
  event.section_outcome = recover.section_outcome;
  event.gate = recover.gate;
  event.counts = recover.counts;
  if (saga.IsHeld()) {
    event.owner = CopyOwner(saga.owner);
  }
  const auto backoff = situation.Policy().requeue_backoff;
  if (event.decision == RecoverDecision::requeue && backoff) {
    event.not_before = ToMicros(situation.now() + *backoff);
  }
  Append(decision, situation, std::move(event));
  const State after = StateAfter(*recover.decision);
  if (after == State::compensating) {
    events::CompensatingT compensating;
    compensating.reason = recover.evidence;
    Append(decision, situation, std::move(compensating));
  } else if (after != State::planned) {
    events::TerminalT terminal;
    terminal.state = after;
    terminal.reason = recover.evidence;
    terminal.no_compensation_reason = recover.no_compensation_reason;
    Append(decision, situation, std::move(terminal));
  }
}

void ActReportOwner(const Situation& situation, Decision& decision) {
  const Saga& saga = *situation.saga;
  auto event = Record(saga, *situation.command.body.AsReportOwner());
  switch (event ? event->verdict : Verdict::dead) {
    case Verdict::alive: decision.outcome = answers::Outcome::alive; break;
    case Verdict::dead: decision.outcome = answers::Outcome::dead; break;
    case Verdict::unknown: decision.outcome = answers::Outcome::unknown; break;
  }
  if (event) {
    Append(decision, situation, *std::move(event));
  }
}

Decision DecideReportOwners(const Situation& situation) {
  const commands::ReportOwnersT& report = *situation.command.body.AsReportOwners();
  std::vector<const Saga*> held = HeldByProcess(situation.state, *report.identity);
  const std::vector<const Saga*> older = HeldByOlderBoots(situation.state, *report.identity);
  held.insert(held.end(), older.begin(), older.end());
  std::ranges::sort(held, {}, &Saga::planned_sequence);
  Decision decision;
  for (const Saga* saga : held) {
    if (auto event = Record(*saga, report)) {
      event->of_holders = true;
      decision.reports.push_back({saga->id, event->verdict});
      Append(decision, saga->id, *std::move(event));
    }
  }
  if (decision.events.empty()) {
    decision.outcome = answers::Outcome::unchanged;
  }
  return decision;
}

void ActForceRelease(const Situation& situation, Decision& decision) {
  const Saga& saga = *situation.saga;
  events::ForceReleasedT event;
  event.reason = situation.command.body.AsForceRelease()->reason;
  event.owner = CopyOwner(saga.owner);
  if (const SectionRecord* section = saga.Section()) {
    event.section = section->name.str();
  }
  Append(decision, situation, std::move(event));
  if (saga.IsCancelPending()) {
    events::TerminalT terminal;
    terminal.state = State::cancelled;
    terminal.reason = "cancel was pending when the lease was broken";
    Append(decision, situation, std::move(terminal));
  }
}

}  // namespace sagalog::rules
