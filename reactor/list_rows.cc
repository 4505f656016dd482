#include "reactor/list_rows.h"

#include <memory>

#include "reactor/saga_view.h"

namespace sagalog {

answers::StaleRowT StaleRowOf(const Projections& state, const Saga& saga, StoreTime now) {
  answers::StaleRowT row;
  row.saga_id = saga.id;
  row.version = saga.version.value();
  row.state = saga.state;
  row.reasons = ViewReasons(StaleReasons(saga, state.ContextOf(saga), now));
  row.queue = saga.queue.str();
  row.key = saga.key;
  row.stage = saga.stage.str();
  if (saga.state != State::planned && !saga.owner.empty()) {
    row.owner = std::make_unique<schema::OwnerT>(OwnerFromIdentity(saga.owner));
  }
  if (saga.IsHeld()) {
    row.token = saga.token.value();
    row.expires_at = ToMicros(saga.expires_at);
  }
  return row;
}

answers::QueueT QueueRowOf(const Projections& state, std::string_view queue, StoreTime now) {
  const QueueConfiguration& configuration = state.Queue(queue);
  answers::QueueT row;
  row.queue = queue;
  row.frozen = configuration.frozen;
  if (configuration.limit) {
    row.limit = *configuration.limit;
  }
  row.policy = std::make_unique<schema::PolicyT>(configuration.policy);
  row.slots_used = state.SlotsUsed(queue, now);
  row.planned = state.PlannedIn(queue);
  return row;
}

bool MatchesButForLabel(const Saga& saga, const SagaQuery& query) {
  const auto is = [](const std::string& wanted, std::string_view actual) {
    return wanted.empty() || wanted == actual;
  };
  const bool shows_owner = saga.state != State::planned;
  return (!query.state || *query.state == saga.state) && is(query.queue, saga.queue.view()) &&
         is(query.key, saga.key) && is(query.stage, saga.stage.view()) &&
         is(query.owner, shows_owner ? OwnerName(saga.owner) : std::string_view()) &&
         (query.label_name.empty() || (saga.extras && saga.extras->labelled));
}

}  // namespace sagalog
