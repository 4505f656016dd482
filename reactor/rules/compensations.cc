// register, claim and settle compensations: what must be undone, and by whom.
#include <algorithm>

#include <fmt/format.h>

#include "reactor/rules/rules.h"

namespace sagalog::rules {
namespace {

Refusal RefuseCompensation(const Saga& saga, RefusalCode code, std::string_view subject,
                           std::string detail) {
  Refusal refusal = RefuseAbout(saga, code, std::move(detail));
  refusal->subject = subject;
  return refusal;
}

schema::CompensationT Described(const commands::RegisterCompensationT& command) {
  schema::CompensationT compensation;
  compensation.id = command.id;
  compensation.kind = command.kind;
  compensation.target = command.target;
  for (const auto& param : command.params) {
    compensation.params.push_back(std::make_unique<schema::LabelT>(*param));
  }
  compensation.when = command.when;
  compensation.shared = command.shared;
  return compensation;
}

bool IsSame(const CompensationRecord& record, const schema::CompensationT& compensation) {
  return record.target_hash == TargetHash(compensation.target) &&
         record.content == CompensationContent(compensation) && record.when == compensation.when &&
         record.shared == compensation.shared;
}

// The compensation that must be settled before this one; null = it is its turn.
const CompensationRecord* InTheWay(const Saga& saga, const CompensationRecord& compensation,
                                   schema::CompensationOrder order) {
  const std::size_t place = static_cast<std::size_t>(&compensation - saga.compensations.data());
  if (order == schema::CompensationOrder::registered) {
    for (std::size_t i = 0; i < place; ++i) {
      if (!saga.compensations[i].IsSettled()) {
        return &saga.compensations[i];
      }
    }
    return nullptr;
  }
  for (std::size_t i = saga.compensations.size(); i > place + 1; --i) {
    if (!saga.compensations[i - 1].IsSettled()) {
      return &saga.compensations[i - 1];
    }
  }
  return nullptr;
}

// Whether whoever owned the saga last may still be at work on what is to be undone.
bool MayOwnerStillWork(const Saga& saga, StoreTime now) {
  return !saga.let_go && saga.Exit() == nullptr && !saga.IsProvenDead(saga.owner) &&
         now < saga.expires_at;
}

Refusal RefuseSettled(const Saga& saga, const CompensationRecord& record) {
  Refusal refusal = RefuseCompensation(
      saga, RefusalCode::compensation_settled, record.id.view(),
      fmt::format("{} is {}", record.id.view(), schema::EnumNameCompensationState(record.state)));
  refusal->actual_sequence = record.settled.value();
  return refusal;
}

bool IsAlike(const CompensationRecord& record, schema::CompensationOutcome outcome) {
  switch (outcome) {
    case schema::CompensationOutcome::done: return record.state == CompensationState::done;
    case schema::CompensationOutcome::failed: return record.state == CompensationState::failed;
    case schema::CompensationOutcome::waived: return record.state == CompensationState::waived;
  }
  return false;
}

// Whether nothing is owed once `settled` is.
bool IsLast(const Saga& saga, const CompensationRecord& settled) {
  return std::all_of(saga.compensations.begin(), saga.compensations.end(),
                     [&settled](const CompensationRecord& record) {
                       return &record == &settled || record.IsSettled();
                     });
}

}  // namespace

bool IsRegisteredAlike(const Situation& situation) {
  const auto& command = *situation.command.body.AsRegisterCompensation();
  const CompensationRecord* record = situation.saga->FindCompensation(command.id);
  return !command.token && record != nullptr && IsSame(*record, Described(command));
}

Refusal CheckNamedCompensation(const Situation& situation) {
  const commands::BodyUnion& body = situation.command.body;
  const std::string_view id = body.type == commands::Body::ClaimCompensation
                                  ? std::string_view(body.AsClaimCompensation()->id)
                                  : std::string_view(body.AsSettleCompensation()->id);
  return situation.saga->FindCompensation(id) != nullptr
             ? nullptr
             : RefuseCompensation(*situation.saga, RefusalCode::not_found, id,
                                  fmt::format("no compensation {} is registered", id));
}

Refusal CheckRegisterCompensation(const Situation& situation) {
  const auto& command = *situation.command.body.AsRegisterCompensation();
  const Saga& saga = *situation.saga;
  if (const CompensationRecord* record = saga.FindCompensation(command.id)) {
    return IsSame(*record, Described(command))
               ? nullptr
               : RefuseCompensation(saga, RefusalCode::already_exists, command.id,
                                    fmt::format("{} is registered otherwise", command.id));
  }
  if (saga.compensations.size() >= kCompensationsMax) {
    Refusal refusal =
        RefuseCompensation(saga, RefusalCode::limit_reached, command.id,
                           fmt::format("a saga takes at most {} compensations", kCompensationsMax));
    refusal->limit = static_cast<std::int64_t>(kCompensationsMax);
    return refusal;
  }
  if (command.shared) {
    return nullptr;
  }
  const Saga* other = situation.state.OtherHolderOfTarget(TargetHash(command.target), &saga, true);
  return other == nullptr ? nullptr
                          : RefuseCompensation(*other, RefusalCode::busy, command.target,
                                               fmt::format("{} has registered the target {}",
                                                           other->id, command.target));
}

void ActRegisterCompensation(const Situation& situation, Decision& decision) {
  const auto& command = *situation.command.body.AsRegisterCompensation();
  if (situation.saga->FindCompensation(command.id) != nullptr) {
    return;
  }
  events::CompensationRegisteredT event;
  event.compensation = std::make_unique<schema::CompensationT>(Described(command));
  Append(decision, situation, std::move(event));
}

Refusal CheckClaimable(const Projections& state, const Saga& saga,
                       const CompensationRecord& compensation, StoreTime now) {
  const CompensationRecord* before =
      InTheWay(saga, compensation, state.PolicyOf(saga).compensation_order);
  if (before != nullptr) {
    return RefuseCompensation(saga, RefusalCode::compensation_order, before->id.view(),
                              fmt::format("{} must be settled first", before->id.view()));
  }
  const std::string_view id = compensation.id.view();
  if (compensation.IsSettled()) {
    return RefuseSettled(saga, compensation);
  }
  if (compensation.state == CompensationState::claimed && now < compensation.claim->expires_at) {
    Refusal refusal = RefuseCompensation(
        saga, RefusalCode::busy, id,
        fmt::format("{} has claimed {}", compensation.claim->executor.view(), id));
    refusal->holder = CopyOwner(compensation.claim->executor);
    refusal->since = ToMicros(compensation.claim->claimed_at);
    refusal->expires_at = ToMicros(compensation.claim->expires_at);
    return refusal;
  }
  if (!saga.IsTerminal() && saga.state != State::compensating) {
    return RefuseCompensation(saga, RefusalCode::busy, id, "the saga is live");
  }
  if (MayOwnerStillWork(saga, now)) {
    Refusal refusal =
        RefuseCompensation(saga, RefusalCode::busy, id,
                           fmt::format("{} may still be at work: it has neither let go, nor "
                                       "exited, nor outlived its lease, nor been proven dead",
                                       OwnerName(saga.owner)));
    refusal->holder = CopyOwner(saga.owner);
    refusal->expires_at = ToMicros(saga.expires_at);
    return refusal;
  }
  // One that is compensating too does not work on the target any more: who of them undoes it first
  // is all the same, but they must not wait for each other.
  if (const Saga* other = state.OtherHolderOfTarget(compensation.target_hash, &saga, false)) {
    return RefuseCompensation(
        *other, RefusalCode::busy, id,
        fmt::format("{} is live and has registered the target too", other->id));
  }
  return nullptr;
}

Refusal CheckClaimCompensation(const Situation& situation) {
  const auto& claim = *situation.command.body.AsClaimCompensation();
  const CompensationRecord* record = situation.saga->FindCompensation(claim.id);
  return CheckClaimable(situation.state, *situation.saga, *record, situation.now());
}

void ActClaimCompensation(const Situation& situation, Decision& decision) {
  const auto& claim = *situation.command.body.AsClaimCompensation();
  const CompensationRecord& record = *situation.saga->FindCompensation(claim.id);
  const Duration ttl = claim.ttl ? Duration(*claim.ttl) : situation.Policy().compensation_ttl;
  events::CompensationClaimedT event;
  event.id = claim.id;
  event.executor = claim.executor;
  event.token = situation.context.next_token.value();
  event.ttl = ttl.count();
  event.expires_at = ToMicros(situation.now() + ttl);
  event.attempt = record.attempts + 1U;
  decision.token = situation.context.next_token;
  Append(decision, situation, std::move(event));
}

Refusal CheckSettleCompensation(const Situation& situation) {
  const auto& settle = *situation.command.body.AsSettleCompensation();
  const Saga& saga = *situation.saga;
  const CompensationRecord* record = saga.FindCompensation(settle.id);
  const bool waived = *settle.outcome == schema::CompensationOutcome::waived;
  if (!waived && (!record->claim || record->claim->token != Token(*settle.token))) {
    return RefuseCompensation(saga, RefusalCode::stale_token, settle.id,
                              "only the newest claim may settle it");
  }
  if (record->IsSettled() && !IsAlike(*record, *settle.outcome)) {
    return RefuseSettled(saga, *record);
  }
  return nullptr;
}

void ActSettleCompensation(const Situation& situation, Decision& decision) {
  const auto& settle = *situation.command.body.AsSettleCompensation();
  const Saga& saga = *situation.saga;
  const CompensationRecord& record = *saga.FindCompensation(settle.id);
  if (IsAlike(record, *settle.outcome)) {
    return;
  }
  events::CompensationSettledT event;
  event.id = settle.id;
  event.outcome = *settle.outcome;
  event.detail = settle.detail;
  Append(decision, situation, std::move(event));
  if (saga.state == State::compensating && *settle.outcome != schema::CompensationOutcome::failed &&
      IsLast(saga, record)) {
    events::TerminalT terminal;
    terminal.state = State::compensated;
    terminal.reason = "everything is settled";
    Append(decision, situation, std::move(terminal));
  }
}

}  // namespace sagalog::rules
