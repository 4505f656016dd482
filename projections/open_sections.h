// Sagas with somebody inside their critical section.
#pragma once

#include "projections/saga_order.h"

namespace sagalog {

class OpenSections {
 public:
  void Update(Saga& saga);
  void Remove(Saga& saga);
  [[nodiscard]] const SagaOrder<KeyedEntry>& sagas() const { return sagas_; }

 private:
  SagaOrder<KeyedEntry> sagas_;
};

}  // namespace sagalog
