#include "reactor/store_course.h"

#include <utility>

#include "schema/text_view.h"

namespace sagalog {
namespace {

bool IsReturn(const events::Event& event) {
  const auto* opened = event.body_as_StoreOpened();
  return opened != nullptr ? opened->away_since() != 0
                           : event.body_type() == events::Body::StoreRestored ||
                                 event.body_type() == events::Body::HostSuspended;
}

}  // namespace

std::optional<PolicyChange> PolicyChangeOf(const events::Event& event) {
  const schema::Policy* policy = nullptr;
  std::optional<PolicyChange> change(std::in_place);
  change->sequence = Sequence(event.sequence());
  if (const auto* changed = event.body_as_PolicyChanged()) {
    policy = changed->policy();
  } else if (const auto* configured = event.body_as_QueueConfigured()) {
    policy = configured->policy();
    change->queue = std::string(View(configured->queue()));
  }
  if (policy == nullptr) {
    return std::nullopt;
  }
  policy->UnPackTo(&change->policy);
  return change;
}

void StoreCourse::Apply(const events::Event& event) {
  if (const auto change = PolicyChangeOf(event)) {
    Apply(*change);
  } else if (IsReturn(event)) {
    returns_.push_back({TimeFromMicros(event.time()), Sequence(event.sequence())});
  }
}

void StoreCourse::Apply(const PolicyChange& change) {
  UpdatePolicy(change.queue ? queues_[*change.queue] : store_, change.policy);
}

EffectivePolicy StoreCourse::PolicyOf(const Saga& saga) const {
  EffectivePolicy policy = MergePolicy(EffectivePolicy(), store_);
  if (const auto queue = queues_.find(saga.queue.view()); queue != queues_.end()) {
    policy = MergePolicy(std::move(policy), queue->second);
  }
  if (saga.extras && saga.extras->policy) {
    policy = MergePolicy(std::move(policy), *saga.extras->policy);
  }
  return policy;
}

}  // namespace sagalog
