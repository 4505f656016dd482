#include "tools/saga_course.h"

#include <algorithm>

namespace sagalog::tools {
namespace {

void Update(schema::PolicyT& base, const schema::Policy* change) {
  if (change != nullptr) {
    schema::PolicyT sparse;
    change->UnPackTo(&sparse);
    UpdatePolicy(base, sparse);
  }
}

}  // namespace

void StoreCourse::Apply(const events::Event& event) {
  if (const auto* policy = event.body_as_PolicyChanged()) {
    Update(store_policy_, policy->policy());
  } else if (const auto* queue = event.body_as_QueueConfigured()) {
    Update(queue_policies_[std::string(View(queue->queue()))], queue->policy());
  } else if (AwaySince(event) || event.body_as_StoreRestored() != nullptr) {
    returns_.push_back({TimeFromMicros(event.time()), Sequence(event.sequence())});
  }
}

EffectivePolicy StoreCourse::PolicyOf(const Saga& saga) const {
  EffectivePolicy policy = MergePolicy(EffectivePolicy(), store_policy_);
  if (const auto queue = queue_policies_.find(saga.queue.view()); queue != queue_policies_.end()) {
    policy = MergePolicy(std::move(policy), queue->second);
  }
  if (saga.extras && saga.extras->policy) {
    policy = MergePolicy(std::move(policy), *saga.extras->policy);
  }
  return policy;
}

std::optional<StoreTime> AwaySince(const events::Event& event) {
  if (const auto* opened = event.body_as_StoreOpened(); opened && opened->away_since() != 0) {
    return TimeFromMicros(opened->away_since());
  }
  if (const auto* suspended = event.body_as_HostSuspended()) {
    return TimeFromMicros(suspended->away_since());
  }
  return std::nullopt;
}

bool ApplyToDependencies(Saga& saga, const events::Event& event) {
  const auto* terminal = event.body_as_Terminal();
  if (terminal == nullptr || !saga.extras) {
    return false;
  }
  bool ended = false;
  for (DependencyRecord& dependency : saga.extras->depends_on) {
    if (dependency.saga_id != View(event.saga_id()) ||
        dependency.standing != DependencyRecord::Standing::kUnmet) {
      continue;
    }
    ended = true;
    if (terminal->state() == schema::State::completed) {
      dependency.standing = DependencyRecord::Standing::kMet;
    } else {
      dependency.standing = DependencyRecord::Standing::kDead;
      dependency.dead_since = TimeFromMicros(event.time());
    }
  }
  return ended;
}

std::vector<StoreTime> IndexMoments(const Saga& saga, const StalenessContext& context,
                                    StoreTime after, StoreTime through) {
  std::vector<StoreTime> moments;
  for (auto next = StalenessChangesAt(saga, context, after); next && *next <= through;
       next = StalenessChangesAt(saga, context, *next)) {
    moments.push_back(*next);
  }
  return moments;
}

}  // namespace sagalog::tools
