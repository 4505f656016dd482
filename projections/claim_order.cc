#include "projections/claim_order.h"

#include "schema/check.h"

namespace sagalog {

void ClaimOrder::Erase(const Saga& saga) {
  const auto order = orders_.find(saga.priority);
  CHECK(order != orders_.end());
  order->second.Erase(saga);
  if (order->second.empty() && orders_.size() > 1) {
    orders_.erase(order);
  }
}

Saga* ClaimOrder::First() const {
  for (const auto& [priority, order] : orders_) {
    if (!order.empty()) {
      return order.First();
    }
  }
  return nullptr;
}

}  // namespace sagalog
