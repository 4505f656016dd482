// The store's own policy and its queues: limits, defaults, freeze.
#include <fmt/format.h>

#include "reactor/rules/rules.h"

namespace sagalog::rules {
namespace {

Refusal RefusePolicy(const Situation& situation, const Status& order) {
  Refusal refusal = Refuse(situation, RefusalCode::invalid_argument, order.text());
  refusal->subject = "policy";
  return refusal;
}

// Off is stored as no limit.
bool IsSameLimit(const flatbuffers::Optional<std::int64_t>& change,
                 const std::optional<std::int64_t>& current) {
  return !change || (*change == kOff ? !current : current == *change);
}

// Whether a policy of the store is in order, also under those of the queues that stand over it.
Status CheckStorePolicy(const Situation& situation, const schema::PolicyT& policy) {
  const EffectivePolicy base = MergePolicy(EffectivePolicy(), policy);
  RETURN_IF_ERROR(CheckPolicyOrder(base));
  for (const std::string& queue : situation.state.QueueNames()) {
    const Status order = CheckPolicyOrder(MergePolicy(base, situation.state.Queue(queue).policy));
    if (!order.ok()) {
      return {order.code(), fmt::format("{}, under the policy of queue {}", order.text(), queue)};
    }
  }
  return {};
}

}  // namespace

Decision DecideConfigureQueue(const Situation& situation) {
  const auto& command = *situation.command.body.AsConfigureQueue();
  const QueueConfiguration& current = situation.state.Queue(command.queue);
  Decision decision;
  events::QueueConfiguredT event;
  event.queue = command.queue;
  event.limit = command.limit;
  event.frozen = command.frozen;
  bool same = IsSameLimit(command.limit, current.limit) &&
              (!command.frozen || *command.frozen == current.frozen);
  if (command.policy) {
    schema::PolicyT merged = current.policy;
    UpdatePolicy(merged, *command.policy);
    same = same && IsSamePolicy(merged, current.policy);
    const EffectivePolicy base = MergePolicy(EffectivePolicy(), situation.state.facts().policy);
    if (const Status order = CheckPolicyOrder(MergePolicy(base, merged)); !order.ok()) {
      decision.refusal = RefusePolicy(situation, order);
      return decision;
    }
    event.policy = std::make_unique<schema::PolicyT>(*command.policy);
  }
  if (same) {
    decision.outcome = answers::Outcome::unchanged;
    return decision;
  }
  Append(decision, std::string_view(), std::move(event));
  return decision;
}

Decision DecideChangePolicy(const Situation& situation) {
  const auto& command = *situation.command.body.AsChangePolicy();
  Decision decision;
  events::PolicyChangedT event;
  event.limit = command.limit;
  const StoreFacts& current = situation.state.facts();
  bool same = IsSameLimit(command.limit, current.limit);
  if (command.policy) {
    schema::PolicyT merged = current.policy;
    UpdatePolicy(merged, *command.policy);
    same = same && IsSamePolicy(merged, current.policy);
    if (const Status order = CheckStorePolicy(situation, merged); !order.ok()) {
      decision.refusal = RefusePolicy(situation, order);
      return decision;
    }
    event.policy = std::make_unique<schema::PolicyT>(*command.policy);
  }
  if (same) {
    decision.outcome = answers::Outcome::unchanged;
    return decision;
  }
  Append(decision, std::string_view(), std::move(event));
  return decision;
}

}  // namespace sagalog::rules
