// complete, fail, compensate, mark_compensated, quarantine, cancel: the ways out.
#include <fmt/format.h>

#include "reactor/rules/rules.h"

namespace sagalog::rules {
namespace {

// A cancelled family larger than one append is cancelled in parts by its caller.
constexpr std::size_t kCascadeSagasMax = kBatchEventsMax / 2;

// What is below a saga: a tree, since each has one parent.
struct Family {
  std::vector<const Saga*> live;
  // Have left memory, and were not looked up.
  std::vector<std::string> unknown;
};

// The ended ones are no end of it: their own children may be alive.
Family FamilyOf(const Situation& situation) {
  Family family;
  std::vector<std::string_view> open;
  const auto add_children = [&open](const Saga& saga) {
    if (saga.extras) {
      open.insert(open.end(), saga.extras->children.begin(), saga.extras->children.end());
    }
  };
  add_children(*situation.saga);
  while (!open.empty()) {
    const std::string_view id = open.back();
    open.pop_back();
    const auto& on_disk = situation.lookups.children;
    if (const Saga* child = situation.state.Find(id)) {
      if (!child->IsTerminal()) {
        family.live.push_back(child);
      }
      add_children(*child);
    } else if (const auto found = on_disk.find(id); found != on_disk.end()) {
      open.insert(open.end(), found->second.begin(), found->second.end());
    } else {
      family.unknown.emplace_back(id);
    }
  }
  return family;
}

// Whether a cancel has to wait for the saga's section to be left: a dead owner leaves none.
bool Waits(const Saga& saga) { return saga.Section() != nullptr && !saga.IsOwnerDead(); }

// Whether it was asked for already: for the saga, and where it is a cascade for all below.
bool IsRequested(const Saga& saga, const commands::CancelT& cancel) {
  return saga.IsCancelPending() && (!cancel.cascade || saga.extras->cancel_cascade);
}

// Cancels one saga: at once, or when its open section is left. Nothing when that was asked for.
void CancelOne(const Saga& saga, const commands::CancelT& cancel, Decision& decision) {
  if (!IsRequested(saga, cancel)) {
    events::CancelRequestedT requested;
    requested.reason = cancel.reason;
    requested.cascade = cancel.cascade;
    Append(decision, saga.id, std::move(requested));
  }
  if (Waits(saga)) {
    return;
  }
  if (const SectionRecord* section = saga.Section()) {
    events::SectionLeftT left;
    left.name = section->name.str();
    left.outcome = fmt::format("unknown: {} died inside", OwnerName(saga.owner));
    Append(decision, saga.id, std::move(left));
  }
  events::TerminalT terminal;
  terminal.state = State::cancelled;
  terminal.reason = cancel.reason;
  Append(decision, saga.id, std::move(terminal));
}

}  // namespace

void ActComplete(const Situation& situation, Decision& decision) {
  events::TerminalT event;
  event.state = State::completed;
  event.result = situation.command.body.AsComplete()->result;
  event.by_owner = true;
  Append(decision, situation, std::move(event));
}

Refusal CheckFail(const Situation& situation) {
  if (Refusal refusal = CheckNoSection(situation)) {
    return refusal;
  }
  return RequireCompensation(situation, situation.command.body.AsFail()->no_compensation_reason);
}

void ActFail(const Situation& situation, Decision& decision) {
  const commands::FailT& fail = *situation.command.body.AsFail();
  events::TerminalT event;
  event.state = State::failed;
  event.reason = fail.reason;
  event.no_compensation_reason = fail.no_compensation_reason;
  event.by_owner = true;
  Append(decision, situation, std::move(event));
}

Refusal CheckCompensate(const Situation& situation) {
  if (Refusal refusal = CheckNoSection(situation)) {
    return refusal;
  }
  return RequireCompensation(situation, "");
}

void ActCompensate(const Situation& situation, Decision& decision) {
  events::CompensatingT event;
  event.reason = situation.command.body.AsCompensate()->reason;
  event.by_owner = true;
  Append(decision, situation, std::move(event));
}

Refusal CheckMarkCompensated(const Situation& situation) {
  for (const CompensationRecord& record : situation.saga->compensations) {
    if (situation.saga->state == State::compensating && !record.IsSettled()) {
      Refusal refusal = Refuse(situation, RefusalCode::compensation_owed,
                               fmt::format("{} is still owed", record.id.view()));
      refusal->subject = record.id.str();
      return refusal;
    }
  }
  return nullptr;
}

// Nothing is left to say: a compensating saga owes something; the settlement of the last ended it.
void ActMarkCompensated(const Situation& /*situation*/, Decision& /*decision*/) {}

void ActQuarantine(const Situation& situation, Decision& decision) {
  events::TerminalT event;
  event.state = State::quarantined;
  event.reason = situation.command.body.AsQuarantine()->reason;
  Append(decision, situation, std::move(event));
}

Refusal CheckCancel(const Situation& situation) {
  const commands::CancelT& cancel = *situation.command.body.AsCancel();
  if (!cancel.cascade) {
    return nullptr;
  }
  const std::size_t family = FamilyOf(situation).live.size() + 1;
  if (family <= kCascadeSagasMax) {
    return nullptr;
  }
  Refusal refusal = Refuse(
      situation, RefusalCode::limit_reached,
      fmt::format("{} sagas are too many for one cascade: cancel the children first", family));
  refusal->limit = static_cast<std::int64_t>(kCascadeSagasMax);
  refusal->actual = static_cast<std::int64_t>(family);
  return refusal;
}

void ActCancel(const Situation& situation, Decision& decision) {
  const commands::CancelT& cancel = *situation.command.body.AsCancel();
  std::vector<const Saga*> sagas{situation.saga};
  if (cancel.cascade) {
    Family family = FamilyOf(situation);
    if (!family.unknown.empty()) {
      decision.wanted = std::move(family.unknown);
      return;
    }
    sagas.insert(sagas.end(), family.live.begin(), family.live.end());
  }
  for (const Saga* saga : sagas) {
    if (!saga->IsTerminal()) {
      CancelOne(*saga, cancel, decision);
    }
  }
  if (Waits(*situation.saga) && !decision.events.empty()) {
    decision.outcome = answers::Outcome::deferred;
  }
}

}  // namespace sagalog::rules
