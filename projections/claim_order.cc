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

Saga* ClaimOrder::FirstFor(const InternedText& incarnation) const {
  Saga* first = nullptr;
  for (const auto& [priority, order] : orders_) {
    order.VisitAfter(Sequence(), [&](Saga& saga) {
      first = saga.IsProvenDead(incarnation) ? nullptr : &saga;
      return first == nullptr;
    });
    if (first != nullptr) {
      break;
    }
  }
  return first;
}

}  // namespace sagalog
