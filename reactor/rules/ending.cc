// complete, fail, compensate, mark_compensated, quarantine, cancel: the ways out.
#include <unordered_set>

#include <fmt/format.h>

#include "reactor/rules/rules.h"

namespace sagalog::rules {
namespace {

// A cancelled family larger than one append is cancelled in parts by its caller.
constexpr std::size_t kCascadeSagasMax = kBatchEventsMax / 2;

// The live descendants of the saga, each once.
std::vector<const Saga*> LiveDescendants(const Situation& situation) {
  std::vector<const Saga*> found;
  std::vector<const Saga*> open{situation.saga};
  std::unordered_set<const Saga*> seen{situation.saga};
  while (!open.empty()) {
    const Saga* parent = open.back();
    open.pop_back();
    if (!parent->extras) {
      continue;
    }
    for (const std::string& id : parent->extras->children) {
      const Saga* child = situation.state.Find(id);
      if (child == nullptr || !seen.insert(child).second) {
        continue;
      }
      open.push_back(child);
      if (!child->IsTerminal()) {
        found.push_back(child);
      }
    }
  }
  return found;
}

// Cancelled, or waiting for its section to be left.
bool IsCancelledAsFarAsItCan(const Saga& saga) {
  return saga.IsTerminal() || (saga.IsCancelPending() && saga.Section() != nullptr);
}

// Cancels one saga: at once, or when its open section is left.
void CancelOne(const Saga& saga, const commands::CancelT& cancel, Decision& decision) {
  if (!saga.IsCancelPending()) {
    events::CancelRequestedT requested;
    requested.reason = cancel.reason;
    requested.cascade = cancel.cascade;
    Append(decision, saga.id, std::move(requested));
  }
  if (saga.Section() != nullptr) {
    return;
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

void ActMarkCompensated(const Situation& situation, Decision& decision) {
  if (situation.saga->state == State::compensated) {
    return;
  }
  events::TerminalT event;
  event.state = State::compensated;
  event.reason = situation.command.body.AsMarkCompensated()->reason;
  Append(decision, situation, std::move(event));
}

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
  const std::size_t family = LiveDescendants(situation).size() + 1;
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
  const Saga& saga = *situation.saga;
  if (!IsCancelledAsFarAsItCan(saga)) {
    CancelOne(saga, cancel, decision);
  }
  if (cancel.cascade) {
    for (const Saga* child : LiveDescendants(situation)) {
      if (!IsCancelledAsFarAsItCan(*child)) {
        CancelOne(*child, cancel, decision);
      }
    }
  }
  if (saga.Section() != nullptr && !decision.events.empty()) {
    decision.outcome = answers::Outcome::deferred;
  }
}

}  // namespace sagalog::rules
