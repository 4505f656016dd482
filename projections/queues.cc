#include "projections/queues.h"

#include <algorithm>
#include <utility>

#include "schema/check.h"

namespace sagalog {
namespace {

bool IsPlannedList(QueueList list) {
  return list >= QueueList::kWaiting && list <= QueueList::kExhausted;
}

bool IsTimed(QueueList list) {
  return list == QueueList::kDelayed || list == QueueList::kSlot || list == QueueList::kSlotOver;
}

bool MayNotStart(const Saga& saga) {
  return saga.IsParked() ||
         (saga.extras && std::any_of(saga.extras->depends_on.begin(), saga.extras->depends_on.end(),
                                     [](const DependencyRecord& dependency) {
                                       return dependency.standing !=
                                              DependencyRecord::Standing::kMet;
                                     }));
}

bool IsDispatchExhausted(const Saga& saga, const EffectivePolicy& policy) {
  return policy.max_dispatch_failures &&
         saga.dispatch_failures >= static_cast<std::uint64_t>(*policy.max_dispatch_failures);
}

bool ComesBefore(const Saga& a, const Saga& b) {
  return a.priority != b.priority ? a.priority > b.priority
                                  : a.planned_sequence < b.planned_sequence;
}

}  // namespace

Queues::Queues(const StoreFacts& facts) : facts_(facts) { RefreshContexts(); }

Queues::Queue* Queues::Find(std::string_view name) const {
  const auto found = queues_.find(name);
  return found == queues_.end() ? nullptr : found->second.get();
}

Queues::Queue& Queues::FindOrAdd(std::string_view name) {
  if (Queue* found = Find(name)) {
    return *found;
  }
  auto& added = queues_[std::string(name)];
  added = std::make_unique<Queue>();
  RefreshContext(*added);
  return *added;
}

Queues::Queue& Queues::QueueOf(const Saga& saga) {
  if (last_queue_ == nullptr || !(saga.queue == last_name_)) {
    last_queue_ = &FindOrAdd(saga.queue.view());
    last_name_ = saga.queue;
  }
  return *last_queue_;
}

const QueueConfiguration& Queues::Configuration(std::string_view queue) const {
  static const QueueConfiguration kDefault;
  const Queue* found = Find(queue);
  return found == nullptr ? kDefault : found->configuration;
}

void Queues::Configure(std::string_view queue, QueueConfiguration configuration) {
  Queue& configured = FindOrAdd(queue);
  configured.configuration = std::move(configuration);
  configured.configured = true;
  RefreshContext(configured);
}

bool Queues::IsConfigured(std::string_view queue) const {
  const Queue* found = Find(queue);
  return found != nullptr && found->configured;
}

void Queues::Restore(std::string_view queue, std::optional<QueueConfiguration> before) {
  Queue& restored = FindOrAdd(queue);
  restored.configured = before.has_value();
  restored.configuration = before ? *std::move(before) : QueueConfiguration();
  RefreshContext(restored);
  if (restored.members == 0 && !restored.configured) {
    Drop(queue);
  }
}

void Queues::RefreshContext(Queue& queue) const {
  queue.context = {MergePolicy(store_policy_, queue.configuration.policy), facts_.returns};
}

void Queues::RefreshContexts() {
  store_policy_ = MergePolicy(EffectivePolicy(), facts_.policy);
  for (auto& [name, queue] : queues_) {
    RefreshContext(*queue);
  }
}

EffectivePolicy Queues::PolicyFor(std::string_view queue, const schema::PolicyT* own) const {
  const Queue* found = Find(queue);
  const EffectivePolicy& policy = found == nullptr ? store_policy_ : found->context.policy;
  return own == nullptr ? policy : MergePolicy(policy, *own);
}

const StalenessContext& Queues::ContextOf(const Saga& saga) {
  const StalenessContext& context = QueueOf(saga).context;
  if (!saga.extras || !saga.extras->policy) {
    return context;
  }
  own_context_ = {MergePolicy(context.policy, *saga.extras->policy), context.returns};
  return own_context_;
}

void Queues::Add(Saga& saga) { ++QueueOf(saga).members; }

void Queues::Remove(Saga& saga) {
  Queue& queue = QueueOf(saga);
  Leave(saga, queue);
  --queue.members;
  if (queue.members == 0 && !queue.configured) {
    Drop(saga.queue.view());
  }
}

void Queues::Drop(std::string_view name) {
  queues_.erase(queues_.find(name));
  last_queue_ = nullptr;
  last_name_ = InternedText();
}

Queues::Standing Queues::StandingOf(const Saga& saga, const StalenessContext& context) const {
  if (const auto end = SlotEnd(saga, context)) {
    const std::int64_t moment = ToMicros(*end);
    return {moment > now_ ? QueueList::kSlot : QueueList::kSlotOver, moment};
  }
  if (saga.state != State::planned) {
    return {QueueList::kNone, 0};
  }
  if (MayNotStart(saga)) {
    return {QueueList::kWaiting, 0};
  }
  if (saga.extras && saga.extras->not_before && ToMicros(*saga.extras->not_before) > now_) {
    return {QueueList::kDelayed, ToMicros(*saga.extras->not_before)};
  }
  const bool exhausted = IsDispatchExhausted(saga, context.policy);
  return {exhausted ? QueueList::kExhausted : QueueList::kClaimable, 0};
}

void Queues::Update(Saga& saga, const StalenessContext& context) {
  const Standing standing = StandingOf(saga, context);
  if (standing.list == saga.places.queue_list &&
      (!IsTimed(standing.list) || standing.moment == saga.places.timer_moment)) {
    return;
  }
  Queue& queue = QueueOf(saga);
  Leave(saga, queue);
  Enter(saga, queue, standing);
}

void Queues::Enter(Saga& saga, Queue& queue, Standing standing) {
  saga.places.queue_list = standing.list;
  saga.places.timer_moment = standing.moment;
  queue.planned += IsPlannedList(standing.list) ? 1 : 0;
  switch (standing.list) {
    case QueueList::kNone:
    case QueueList::kWaiting:
    case QueueList::kSlotOver: break;
    case QueueList::kDelayed: delayed_.Insert(saga, standing.moment); break;
    case QueueList::kClaimable: queue.claimable.Insert(saga); break;
    case QueueList::kExhausted: queue.exhausted.Insert(saga); break;
    case QueueList::kSlot:
      slots_.Insert(saga, standing.moment);
      ++queue.slots;
      ++slots_in_all_;
      break;
  }
}

void Queues::Leave(Saga& saga, Queue& queue) {
  const QueueList list = saga.places.queue_list;
  saga.places.queue_list = QueueList::kNone;
  queue.planned -= IsPlannedList(list) ? 1 : 0;
  switch (list) {
    case QueueList::kNone:
    case QueueList::kWaiting:
    case QueueList::kSlotOver: break;
    case QueueList::kDelayed: delayed_.Erase(saga); break;
    case QueueList::kClaimable: queue.claimable.Erase(saga); break;
    case QueueList::kExhausted: queue.exhausted.Erase(saga); break;
    case QueueList::kSlot:
      slots_.Erase(saga);
      --queue.slots;
      --slots_in_all_;
      break;
  }
}

void Queues::AdvanceTo(StoreTime now) {
  if (ToMicros(now) <= now_) {
    return;
  }
  now_ = ToMicros(now);
  slots_.PopThrough(now_, [this](Saga& saga) {
    saga.places.queue_list = QueueList::kSlotOver;
    --QueueOf(saga).slots;
    --slots_in_all_;
  });
  delayed_.PopThrough(now_, [this](Saga& saga) {
    saga.places.queue_list = QueueList::kNone;
    Queue& queue = QueueOf(saga);
    --queue.planned;
    Enter(saga, queue, StandingOf(saga, ContextOf(saga)));
  });
}

std::uint64_t Queues::SlotsUsed(std::string_view queue, StoreTime now) {
  AdvanceTo(now);
  const Queue* found = Find(queue);
  return found == nullptr ? 0 : found->slots;
}

std::uint64_t Queues::SlotsUsedInAll(StoreTime now) {
  AdvanceTo(now);
  return slots_in_all_;
}

Saga* Queues::FirstClaimable(std::string_view queue, bool for_dispatch,
                             const InternedText& incarnation, StoreTime now) {
  AdvanceTo(now);
  const Queue* found = Find(queue);
  if (found == nullptr) {
    return nullptr;
  }
  // Who was proven dead may be dispatched to again, but may not acquire.
  const InternedText acquirer = for_dispatch ? InternedText() : incarnation;
  Saga* first = found->claimable.FirstFor(acquirer);
  Saga* exhausted = for_dispatch ? nullptr : found->exhausted.FirstFor(acquirer);
  if (exhausted == nullptr || (first != nullptr && ComesBefore(*first, *exhausted))) {
    return first;
  }
  return exhausted;
}

std::uint64_t Queues::PlannedIn(std::string_view queue) const {
  const Queue* found = Find(queue);
  return found == nullptr ? 0 : found->planned;
}

std::vector<std::string> Queues::Names() const {
  std::vector<std::string> names;
  names.reserve(queues_.size());
  for (const auto& [name, queue] : queues_) {
    names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::pair<std::string_view, const QueueConfiguration*>> Queues::Configured() const {
  std::vector<std::pair<std::string_view, const QueueConfiguration*>> configured;
  for (const auto& [name, queue] : queues_) {
    if (queue->configured) {
      configured.emplace_back(name, &queue->configuration);
    }
  }
  std::sort(configured.begin(), configured.end());
  return configured;
}

}  // namespace sagalog
