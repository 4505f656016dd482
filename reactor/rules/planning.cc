// plan, park, unpark, annotate.
#include <unordered_set>

#include <fmt/format.h>

#include "reactor/rules/rules.h"

namespace sagalog::rules {
namespace {

constexpr std::string_view kDefaultQueue = "default";

std::string_view QueueOf(const commands::PlanT& plan) {
  return plan.queue.empty() ? kDefaultQueue : std::string_view(plan.queue);
}

// The newest generation of the plan's key that has ended; null = the key is new, or there is none.
// What is in memory may be an older one, which still owes something.
const Saga* NewestEnded(const Situation& situation, const commands::PlanT& plan) {
  const Saga* kept = situation.state.NewestEndedOfKey(plan.key);
  const auto& on_disk = situation.lookups.newest_of_key;
  return on_disk && (kept == nullptr || on_disk->generation > kept->generation) ? &*on_disk : kept;
}

Refusal CheckParent(const Situation& situation, const commands::PlanT& plan) {
  if (plan.parent.empty()) {
    return nullptr;
  }
  const Saga* parent = situation.state.Find(plan.parent);
  Refusal refusal;
  if (parent == nullptr) {
    refusal = Refuse(situation, RefusalCode::not_found,
                     fmt::format("there is no live parent {}", plan.parent));
  } else if (parent->IsTerminal()) {
    refusal = Refuse(situation, RefusalCode::not_found,
                     fmt::format("the parent {} has ended", plan.parent));
  } else if (parent->IsCancelPending() && parent->extras->cancel_cascade) {
    refusal =
        RefuseAbout(*parent, RefusalCode::cancel_pending,
                    fmt::format("{} is being cancelled with everything below it", plan.parent));
    refusal->since = ToMicros(*parent->extras->cancel_requested_at);
  } else {
    return nullptr;
  }
  refusal->subject = plan.parent;
  return refusal;
}

Refusal RefuseDependencies(const Situation& situation, RefusalCode code, std::string detail) {
  Refusal refusal = Refuse(situation, code, std::move(detail));
  refusal->subject = "depends_on";
  return refusal;
}

// Whether a live saga that the plan depends on depends, over any number of steps, on the plan.
Refusal CheckCycle(const Situation& situation, const commands::PlanT& plan) {
  // A graph that is planned in order has nobody who waits for the saga, and needs no search.
  if (plan.depends_on.empty() || situation.state.DependentsOf(situation.command.saga_id).empty()) {
    return nullptr;
  }
  std::vector<std::string_view> open(plan.depends_on.begin(), plan.depends_on.end());
  std::unordered_set<std::string_view> seen(open.begin(), open.end());
  while (!open.empty()) {
    const std::string_view id = open.back();
    open.pop_back();
    if (id == situation.command.saga_id) {
      return RefuseDependencies(situation, RefusalCode::invalid_argument,
                                "depends_on would close a cycle of dependencies");
    }
    if (seen.size() > kDependencyDepthMax) {
      Refusal refusal = RefuseDependencies(
          situation, RefusalCode::limit_reached,
          fmt::format("more than {} sagas are waited for: plan them before those that wait",
                      kDependencyDepthMax));
      refusal->limit = static_cast<std::int64_t>(kDependencyDepthMax);
      return refusal;
    }
    const Saga* saga = situation.state.Find(id);
    if (saga == nullptr || saga->IsTerminal() || !saga->extras) {
      continue;
    }
    for (const DependencyRecord& next : saga->extras->depends_on) {
      if (seen.insert(next.saga_id).second) {
        open.push_back(next.saga_id);
      }
    }
  }
  return nullptr;
}

Refusal RefuseTaken(const Saga& holder, std::string_view subject, std::string detail) {
  Refusal refusal = RefuseAbout(holder, RefusalCode::already_exists, std::move(detail));
  refusal->subject = subject;
  return refusal;
}

Refusal CheckKey(const Situation& situation, const commands::PlanT& plan) {
  if (const Saga* holder = situation.state.HolderOfKey(plan.key)) {
    return RefuseTaken(*holder, "key", fmt::format("{} holds the key {}", holder->id, plan.key));
  }
  const Saga* ended = NewestEnded(situation, plan);
  if (ended == nullptr || ended->state != State::completed || !plan.rerun.empty()) {
    return nullptr;
  }
  return RefuseTaken(
      *ended, "key",
      fmt::format("{} completed the key {}: to do it again, say why (rerun)", ended->id, plan.key));
}

Refusal CheckTargets(const Situation& situation, const commands::PlanT& plan) {
  for (const auto& compensation : plan.compensations) {
    if (compensation->shared) {
      continue;
    }
    const Saga* other =
        situation.state.OtherHolderOfTarget(TargetHash(compensation->target), nullptr, true);
    if (other != nullptr) {
      Refusal refusal = RefuseAbout(
          *other, RefusalCode::busy,
          fmt::format("{} has registered the target {}", other->id, compensation->target));
      refusal->subject = compensation->target;
      return refusal;
    }
  }
  return nullptr;
}

void SortDependencies(const Situation& situation, events::PlannedT& event) {
  for (const std::string& id : event.depends_on) {
    std::optional<State> ended;
    if (const Saga* saga = situation.state.Find(id)) {
      ended = saga->IsTerminal() ? std::optional(saga->state) : std::nullopt;
    } else {
      for (const auto& [ended_id, state] : situation.lookups.ended_dependencies) {
        ended = ended_id == id ? std::optional(state) : ended;
      }
    }
    if (ended) {
      (*ended == State::completed ? event.dependencies_met : event.dependencies_dead).push_back(id);
    }
  }
}

// Effects that were begun once for all generations of the key.
void InheritEffects(const Situation& situation, const commands::PlanT& plan,
                    events::PlannedT& event) {
  const Saga* before = NewestEnded(situation, plan);
  if (before == nullptr || !before->extras) {
    return;
  }
  for (const EffectRecord& effect : before->extras->effects) {
    if (effect.key_scope) {
      auto inherited = std::make_unique<events::InheritedEffectT>();
      inherited->effect = effect.effect;
      inherited->fingerprint = effect.fingerprint;
      inherited->begun_sequence = effect.begun.value();
      inherited->settled_sequence = effect.settled.value();
      inherited->settlement = effect.settlement;
      event.inherited_effects.push_back(std::move(inherited));
    }
  }
}

void CopyFacts(const commands::PlanT& plan, events::PlannedT& event) {
  event.key = plan.key;
  event.rerun = plan.rerun;
  event.queue = QueueOf(plan);
  event.priority = plan.priority;
  event.issue = plan.issue;
  event.repository = plan.repository;
  event.branch = plan.branch;
  event.worktree = plan.worktree;
  event.stage = plan.stage;
  for (const auto& label : plan.labels) {
    event.labels.push_back(std::make_unique<schema::LabelT>(*label));
  }
  event.payload = plan.payload;
  event.parent = plan.parent;
  event.depends_on = plan.depends_on;
  for (const auto& compensation : plan.compensations) {
    event.compensations.push_back(std::make_unique<schema::CompensationT>(*compensation));
  }
  if (plan.policy) {
    event.policy = std::make_unique<schema::PolicyT>(*plan.policy);
  }
}

}  // namespace

Refusal CheckPlanPolicy(const Situation& situation) {
  const commands::PlanT& plan = *situation.command.body.AsPlan();
  if (!plan.policy) {
    return nullptr;
  }
  const Status order =
      CheckPolicyOrder(situation.state.PolicyFor(QueueOf(plan), plan.policy.get()));
  if (order.ok()) {
    return nullptr;
  }
  Refusal refusal = Refuse(situation, RefusalCode::invalid_argument, order.text());
  refusal->subject = "policy";
  return refusal;
}

Refusal CheckPlan(const Situation& situation) {
  const commands::PlanT& plan = *situation.command.body.AsPlan();
  if (Refusal refusal = CheckParent(situation, plan)) {
    return refusal;
  }
  if (Refusal refusal = CheckCycle(situation, plan)) {
    return refusal;
  }
  if (situation.saga != nullptr) {
    return RefuseTaken(*situation.saga, "saga_id",
                       fmt::format("{} exists already: ids are never reused", situation.saga->id));
  }
  if (Refusal refusal = CheckKey(situation, plan)) {
    return refusal;
  }
  return CheckTargets(situation, plan);
}

void ActPlan(const Situation& situation, Decision& decision) {
  const commands::PlanT& plan = *situation.command.body.AsPlan();
  events::PlannedT event;
  CopyFacts(plan, event);
  const Saga* before = NewestEnded(situation, plan);
  event.generation = before == nullptr ? 1 : before->generation + 1;
  if (plan.not_before) {
    event.not_before = *plan.not_before;
  } else if (plan.not_before_in) {
    event.not_before = ToMicros(situation.now() + Duration(*plan.not_before_in));
  }
  SortDependencies(situation, event);
  InheritEffects(situation, plan, event);
  Append(decision, situation.command.saga_id, std::move(event));
}

void ActPark(const Situation& situation, Decision& decision) {
  if (situation.saga->IsParked()) {
    return;
  }
  events::ParkedT event;
  event.reason = situation.command.body.AsPark()->reason;
  Append(decision, situation, std::move(event));
}

void ActUnpark(const Situation& situation, Decision& decision) {
  if (situation.saga->IsParked()) {
    Append(decision, situation, events::UnparkedT());
  }
}

void ActAnnotate(const Situation& situation, Decision& decision) {
  events::AnnotatedT event;
  event.text = situation.command.body.AsAnnotate()->text;
  Append(decision, situation, std::move(event));
}

}  // namespace sagalog::rules
