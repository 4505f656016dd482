// Sagas that began an effect of which nobody knows yet how it ended.
#pragma once

#include <string_view>
#include <vector>

#include "projections/hashed_sagas.h"
#include "projections/saga_order.h"

namespace sagalog {

// Whether the saga itself began an effect that is not settled. What an earlier generation of its
// key began is in doubt there.
[[nodiscard]] bool HasEffectInDoubt(const Saga& saga);
// Whether any effect it knows is not settled, begun by itself or by an earlier generation.
[[nodiscard]] bool AwaitsSettlement(const Saga& saga);

class EffectsInDoubt {
 public:
  void Update(Saga& saga);
  void Remove(Saga& saga);
  [[nodiscard]] const SagaOrder<KeyedEntry>& sagas() const { return sagas_; }
  // The generations of the key that await a settlement of an effect, of whichever. All of them are
  // in memory, because none leaves it before.
  [[nodiscard]] std::vector<Saga*> GenerationsThatAwait(std::string_view key) const;

 private:
  SagaOrder<KeyedEntry> sagas_;
  // By their keys.
  HashedSagas awaiting_;
};

}  // namespace sagalog
