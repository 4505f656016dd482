#include "projections/effects_in_doubt.h"

#include <algorithm>

#include "projections/text_hash.h"

namespace sagalog {
namespace {

bool HasEffects(const Saga& saga) { return saga.extras && !saga.extras->effects.empty(); }

}  // namespace

bool HasEffectInDoubt(const Saga& saga) {
  return saga.extras && std::any_of(saga.extras->effects.begin(), saga.extras->effects.end(),
                                    [&](const EffectRecord& effect) {
                                      return effect.settled.IsNone() &&
                                             effect.begun > saga.planned_sequence;
                                    });
}

bool AwaitsSettlement(const Saga& saga) {
  return saga.extras &&
         std::any_of(saga.extras->effects.begin(), saga.extras->effects.end(),
                     [](const EffectRecord& effect) { return effect.settled.IsNone(); });
}

void EffectsInDoubt::Update(Saga& saga) {
  const bool in_doubt = HasEffectInDoubt(saga);
  if (in_doubt != saga.places.effect_in_doubt) {
    if (in_doubt) {
      sagas_.Insert(saga);
    } else {
      sagas_.Erase(saga);
    }
    saga.places.effect_in_doubt = in_doubt;
  }
  if (saga.key.empty() || !HasEffects(saga)) {
    return;
  }
  if (AwaitsSettlement(saga)) {
    awaiting_.Insert(TextHash(saga.key), &saga);
  } else {
    awaiting_.Erase(TextHash(saga.key), &saga);
  }
}

void EffectsInDoubt::Remove(Saga& saga) {
  if (saga.places.effect_in_doubt) {
    sagas_.Erase(saga);
    saga.places.effect_in_doubt = false;
  }
  if (!saga.key.empty() && HasEffects(saga)) {
    awaiting_.Erase(TextHash(saga.key), &saga);
  }
}

std::vector<Saga*> EffectsInDoubt::GenerationsThatAwait(std::string_view key) const {
  std::vector<Saga*> found;
  awaiting_.ForEach(TextHash(key), [&](Saga& saga) {
    if (saga.key == key) {
      found.push_back(&saga);
    }
  });
  return found;
}

}  // namespace sagalog
