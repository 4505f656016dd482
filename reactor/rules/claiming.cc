// claim_next, and what holds a planned saga back.
#include <fmt/format.h>

#include "reactor/rules/rules.h"

namespace sagalog::rules {
namespace {

Refusal RefuseFull(const Situation& situation, std::string_view whose, std::int64_t limit,
                   std::uint64_t used) {
  Refusal refusal = Refuse(situation, RefusalCode::limit_reached,
                           fmt::format("{} of {} slots of {} are used", used, limit, whose));
  refusal->limit = limit;
  refusal->actual = static_cast<std::int64_t>(used);
  refusal->subject = whose;
  return refusal;
}

bool HoldsSlot(const Situation& situation) {
  if (situation.saga == nullptr) {
    return false;
  }
  const auto end = SlotEnd(*situation.saga, situation.Staleness());
  return situation.now() < end.value_or(situation.now());
}

// `used` counts the slot that the saga holds already, if it does.
Refusal CheckLimit(const Situation& situation, std::string_view whose, std::int64_t limit,
                   std::uint64_t used) {
  const std::uint64_t others = used - (HoldsSlot(situation) ? 1 : 0);
  return others >= static_cast<std::uint64_t>(limit) ? RefuseFull(situation, whose, limit, others)
                                                     : nullptr;
}

Refusal CheckQueueSlots(const Situation& situation, std::string_view queue) {
  const auto& limit = situation.state.Queue(queue).limit;
  if (limit) {
    if (Refusal refusal = CheckLimit(situation, fmt::format("queue {}", queue), *limit,
                                     situation.state.SlotsUsed(queue, situation.now()))) {
      return refusal;
    }
  }
  const auto& store_limit = situation.state.facts().limit;
  return store_limit ? CheckLimit(situation, "the store", *store_limit,
                                  situation.state.SlotsUsedInAll(situation.now()))
                     : nullptr;
}

Refusal CheckFrozen(const Situation& situation, std::string_view queue) {
  if (!situation.state.Queue(queue).frozen) {
    return nullptr;
  }
  Refusal refusal =
      Refuse(situation, RefusalCode::frozen, fmt::format("the queue {} is frozen", queue));
  refusal->subject = queue;
  return refusal;
}

// The command that the claim amounts to, once the saga is known.
commands::CommandT ChosenCommand(const commands::CommandT& command, const Saga& saga) {
  const commands::ClaimNextT& claim = *command.body.AsClaimNext();
  commands::CommandT chosen;
  chosen.saga_id = saga.id;
  if (claim.as == schema::ClaimAs::dispatch) {
    commands::DispatchT dispatch;
    dispatch.owner = CopyOwner(*claim.owner);
    dispatch.ttl = claim.ttl;
    chosen.body.Set(std::move(dispatch));
  } else {
    commands::AcquireT acquire;
    acquire.owner = CopyOwner(*claim.owner);
    acquire.ttl = claim.ttl;
    chosen.body.Set(std::move(acquire));
  }
  return chosen;
}

void MarkClaimed(Decision& decision) {
  events::BodyUnion& body = decision.events.front().body;
  if (body.type == events::Body::Leased) {
    body.AsLeased()->claimed = true;
  } else {
    body.AsDispatched()->claimed = true;
  }
}

}  // namespace

Refusal CheckMayStart(const Situation& situation) {
  const Saga& saga = *situation.saga;
  if (saga.IsParked()) {
    Refusal refusal = Refuse(situation, RefusalCode::parked, "parked");
    refusal->since = ToMicros(*saga.extras->parked_at);
    return refusal;
  }
  if (saga.extras && saga.extras->not_before > situation.now()) {
    Refusal refusal = Refuse(situation, RefusalCode::not_before,
                             fmt::format("not before {}", FormatTime(*saga.extras->not_before)));
    refusal->expires_at = ToMicros(*saga.extras->not_before);
    return refusal;
  }
  if (saga.extras) {
    for (const DependencyRecord& dependency : saga.extras->depends_on) {
      if (dependency.standing != DependencyRecord::Standing::kMet) {
        Refusal refusal =
            Refuse(situation, RefusalCode::dependency_unmet,
                   fmt::format("{} {}", dependency.saga_id,
                               dependency.standing == DependencyRecord::Standing::kDead
                                   ? "ended, but not completed"
                                   : "is not completed yet"));
        refusal->subject = dependency.saga_id;
        return refusal;
      }
    }
  }
  return CheckFrozen(situation, saga.queue.view());
}

Refusal CheckSlots(const Situation& situation) {
  return CheckQueueSlots(situation, situation.saga->queue.view());
}

Decision DecideClaimNext(const Situation& situation) {
  const commands::ClaimNextT& claim = *situation.command.body.AsClaimNext();
  const std::string_view queue = claim.queue;
  const bool for_dispatch = claim.as == schema::ClaimAs::dispatch;
  Decision decision;
  if ((decision.refusal = CheckFrozen(situation, queue))) {
    return decision;
  }
  if ((decision.refusal = CheckQueueSlots(situation, queue))) {
    return decision;
  }
  const Saga* saga = situation.state.FirstClaimable(
      queue, for_dispatch, OwnerIdentity(claim.owner.get()), situation.now());
  if (saga == nullptr) {
    decision.refusal =
        Refuse(situation, RefusalCode::empty, fmt::format("nothing in {} may start now", queue));
    decision.refusal->subject = queue;
    return decision;
  }
  const commands::CommandT chosen = ChosenCommand(situation.command, *saga);
  // It is the first that may start, so nothing is left to refuse.
  const Situation narrowed{situation.state, situation.lookups, chosen, situation.context, saga};
  decision.saga_id = saga->id;
  (for_dispatch ? ActDispatch : ActAcquire)(narrowed, decision);
  MarkClaimed(decision);
  return decision;
}

}  // namespace sagalog::rules
