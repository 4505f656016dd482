// Sagas that began an effect of which nobody knows yet how it ended.
#pragma once

#include "projections/saga_order.h"

namespace sagalog {

// Whether the saga itself began an effect that is not settled. What an earlier generation of its
// key began is in doubt there.
[[nodiscard]] bool HasEffectInDoubt(const Saga& saga);

class EffectsInDoubt {
 public:
  void Update(Saga& saga);
  void Remove(Saga& saga);
  [[nodiscard]] const SagaOrder<KeyedEntry>& sagas() const { return sagas_; }

 private:
  SagaOrder<KeyedEntry> sagas_;
};

}  // namespace sagalog
