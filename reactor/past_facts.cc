#include "reactor/past_facts.h"

#include <algorithm>
#include <utility>

#include "schema/text_view.h"

namespace sagalog {
namespace {

std::string EffectOf(std::string_view saga_id, std::string_view effect) {
  std::string name(saga_id);
  name += '\n';  // no id holds it
  return name.append(effect);
}

// A saga that has ended takes no children any more, and waits for nobody.
bool WasOpen(const Saga& saga, Sequence at) {
  return !saga.IsTerminal() || at < saga.reason_sequence;
}

}  // namespace

void PastFacts::Note(const events::Event& event) {
  noted_ = Sequence(event.sequence());
  switch (event.body_type()) {
    case events::Body::Planned: NotePlanned(event, *event.body_as_Planned()); break;
    case events::Body::EffectBegun:
      if (event.body_as_EffectBegun()->scope() == schema::EffectScope::key) {
        key_effects_[EffectOf(View(event.saga_id()), View(event.body_as_EffectBegun()->effect()))] =
            noted_;
      }
      break;
    case events::Body::EffectSettled: NoteSettled(event, *event.body_as_EffectSettled()); break;
    case events::Body::Terminal:
      if (!awaited_.empty()) {
        if (const auto found = awaited_.find(event.saga_id()->str()); found != awaited_.end()) {
          found->second = {noted_, TimeFromMicros(event.time()),
                           event.body_as_Terminal()->state() == schema::State::completed};
        }
      }
      break;
    case events::Body::StoreOpened:
    case events::Body::StoreRestored:
    case events::Body::HostSuspended:
    case events::Body::QueueConfigured:
    case events::Body::PolicyChanged:
      newest_.Apply(event);
      if (auto change = PolicyChangeOf(event)) {
        policy_changes_.push_back(*std::move(change));
      }
      break;
    default: break;
  }
}

void PastFacts::NotePlanned(const events::Event& event, const events::Planned& planned) {
  if (planned.parent() != nullptr) {
    children_[planned.parent()->str()].push_back({noted_, event.saga_id()->str()});
  }
  if (planned.depends_on() != nullptr) {
    for (const flatbuffers::String* id : *planned.depends_on()) {
      awaited_.try_emplace(id->str());
    }
  }
  if (planned.inherited_effects() != nullptr) {
    for (const events::InheritedEffect* effect : *planned.inherited_effects()) {
      if (effect->settled_sequence() == 0) {
        key_effects_[EffectOf(View(event.saga_id()), View(effect->effect()))] =
            Sequence(effect->begun_sequence());
      }
    }
  }
}

void PastFacts::NoteSettled(const events::Event& event, const events::EffectSettled& settled) {
  const auto found = key_effects_.find(EffectOf(View(event.saga_id()), View(settled.effect())));
  if (found != key_effects_.end()) {
    settled_[found->second.value()] = {
        noted_, SettlementHash(View(settled.outcome()), View(settled.result()))};
  }
}

void PastFacts::NoteChild(const std::string& parent, Sequence planned, std::string child) {
  children_[parent].push_back({planned, std::move(child)});
}

void PastFacts::NoteEnd(const std::string& saga, Sequence ended, StoreTime time, bool completed) {
  awaited_[saga] = {ended, time, completed};
}

void PastFacts::NoteSettlement(Sequence begun, Sequence settled, std::uint64_t hash) {
  settled_[begun.value()] = {settled, hash};
}

SagaSnapshot PastFacts::Complete(Saga saga, Sequence through, StoreTime moment) const {
  AddEnds(saga, through);
  AddSettlements(saga, through);
  AddChildren(saga, through);
  EffectivePolicy policy = PolicyOf(saga, through);
  const auto returns = ReturnsSince(saga, through);
  return {std::move(saga), std::move(policy), {returns.begin(), returns.end()}, moment};
}

std::vector<StaleSince> PastFacts::StaleThen(const Saga& saga, Sequence through,
                                             StoreTime moment) const {
  const StalenessContext context{PolicyOf(saga, through), ReturnsSince(saga, through)};
  if (!saga.extras || saga.extras->depends_on.empty()) {
    return StaleReasons(saga, context, moment);
  }
  Saga with_ends = saga;
  AddEnds(with_ends, through);
  return StaleReasons(with_ends, context, moment);
}

void PastFacts::AddEnds(Saga& saga, Sequence through) const {
  if (!saga.extras) {
    return;
  }
  using Standing = DependencyRecord::Standing;
  for (DependencyRecord& dependency : saga.extras->depends_on) {
    const auto found = awaited_.find(dependency.saga_id);
    if (dependency.standing != Standing::kUnmet || found == awaited_.end()) {
      continue;
    }
    const End& end = found->second;
    if (end.sequence > saga.planned_sequence && end.sequence <= through &&
        WasOpen(saga, end.sequence)) {
      dependency.standing = end.completed ? Standing::kMet : Standing::kDead;
      dependency.dead_since = end.completed ? dependency.dead_since : end.time;
    }
  }
}

void PastFacts::AddSettlements(Saga& saga, Sequence through) const {
  if (!saga.extras || settled_.empty()) {
    return;
  }
  for (EffectRecord& effect : saga.extras->effects) {
    const auto found = settled_.find(effect.begun.value());
    if (effect.key_scope && effect.settled.IsNone() && found != settled_.end() &&
        found->second.sequence <= through) {
      effect.settled = found->second.sequence;
      effect.settlement = found->second.hash;
    }
  }
}

void PastFacts::AddChildren(Saga& saga, Sequence through) const {
  const auto found = children_.find(saga.id);
  if (found == children_.end()) {
    return;
  }
  for (const Child& child : found->second) {
    if (child.planned <= through && WasOpen(saga, child.planned)) {
      saga.extras.Ensure().children.push_back(child.id);
    }
  }
}

EffectivePolicy PastFacts::PolicyOf(const Saga& saga, Sequence through) const {
  if (policy_changes_.empty() || policy_changes_.back().sequence <= through) {
    return newest_.PolicyOf(saga);
  }
  StoreCourse then;
  for (const PolicyChange& change : policy_changes_) {
    if (change.sequence > through) {
      break;
    }
    then.Apply(change);
  }
  return then.PolicyOf(saga);
}

std::span<const StoreReturn> PastFacts::ReturnsSince(const Saga& saga, Sequence through) const {
  const auto before = [](const StoreReturn& back, Sequence sequence) {
    return back.sequence < sequence;
  };
  const std::vector<StoreReturn>& returns = newest_.returns();
  const auto first = std::lower_bound(returns.begin(), returns.end(), saga.lease_sequence, before);
  const auto end = std::lower_bound(first, returns.end(), through.Next(), before);
  return {first, end};
}

}  // namespace sagalog
