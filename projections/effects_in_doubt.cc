#include "projections/effects_in_doubt.h"

#include <algorithm>

namespace sagalog {

bool HasEffectInDoubt(const Saga& saga) {
  return saga.extras && std::any_of(saga.extras->effects.begin(), saga.extras->effects.end(),
                                    [&](const EffectRecord& effect) {
                                      return effect.settled.IsNone() &&
                                             effect.begun > saga.planned_sequence;
                                    });
}

void EffectsInDoubt::Update(Saga& saga) {
  const bool in_doubt = HasEffectInDoubt(saga);
  if (in_doubt == saga.places.effect_in_doubt) {
    return;
  }
  if (in_doubt) {
    sagas_.Insert(saga);
  } else {
    sagas_.Erase(saga);
  }
  saga.places.effect_in_doubt = in_doubt;
}

void EffectsInDoubt::Remove(Saga& saga) {
  if (saga.places.effect_in_doubt) {
    sagas_.Erase(saga);
    saga.places.effect_in_doubt = false;
  }
}

}  // namespace sagalog
