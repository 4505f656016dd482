// Planned sagas in the order of being claimed: by priority, the higher first, then by age.
#pragma once

#include <cstdint>
#include <functional>
#include <map>

#include "projections/saga_order.h"

namespace sagalog {

class ClaimOrder {
 public:
  // The saga must not be there.
  void Insert(Saga& saga) { orders_[saga.priority].Insert(saga); }
  // The saga must be there.
  void Erase(const Saga& saga);
  // The first that was not proven dead under `incarnation`; null = none.
  [[nodiscard]] Saga* FirstFor(const InternedText& incarnation) const;

 private:
  // Empty ones: only the last one left, which would be needed again at once.
  std::map<std::int32_t, SagaOrder<KeyedEntry>, std::greater<>> orders_;
};

}  // namespace sagalog
