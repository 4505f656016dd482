// begin_effect, settle_effect, record_exit: evidence of what was done.
#include <fmt/format.h>

#include "reactor/rules/rules.h"

namespace sagalog::rules {
namespace {

const EffectRecord* FindEffect(const Saga& saga, std::string_view effect) {
  if (!saga.extras) {
    return nullptr;
  }
  for (const EffectRecord& record : saga.extras->effects) {
    if (record.effect == effect) {
      return &record;
    }
  }
  return nullptr;
}

Refusal RefuseEffect(const Situation& situation, RefusalCode code, const EffectRecord& effect,
                     Sequence sequence, std::string detail) {
  Refusal refusal = Refuse(situation, code, std::move(detail));
  refusal->subject = effect.effect;
  refusal->actual_sequence = sequence.value();
  return refusal;
}

}  // namespace

Refusal CheckBeginEffect(const Situation& situation) {
  const commands::BeginEffectT& begin = *situation.command.body.AsBeginEffect();
  const EffectRecord* effect = FindEffect(*situation.saga, begin.effect);
  if (effect == nullptr) {
    return nullptr;
  }
  if (effect->fingerprint != begin.fingerprint) {
    return RefuseEffect(
        situation, RefusalCode::request_conflict, *effect, effect->begun,
        fmt::format("{} was begun with the fingerprint {}", effect->effect, effect->fingerprint));
  }
  if (!effect->settled.IsNone()) {
    return RefuseEffect(
        situation, RefusalCode::effect_settled, *effect, effect->settled,
        fmt::format("{} was settled at {}", effect->effect, effect->settled.value()));
  }
  return RefuseEffect(situation, RefusalCode::effect_begun, *effect, effect->begun,
                      fmt::format("{} was begun at {} and not settled: in doubt", effect->effect,
                                  effect->begun.value()));
}

void ActBeginEffect(const Situation& situation, Decision& decision) {
  const commands::BeginEffectT& begin = *situation.command.body.AsBeginEffect();
  events::EffectBegunT event;
  event.effect = begin.effect;
  event.fingerprint = begin.fingerprint;
  event.scope = begin.scope;
  Append(decision, situation, std::move(event));
}

Refusal CheckNamedEffect(const Situation& situation) {
  const commands::SettleEffectT& settle = *situation.command.body.AsSettleEffect();
  if (FindEffect(*situation.saga, settle.effect) != nullptr) {
    return nullptr;
  }
  Refusal refusal = Refuse(situation, RefusalCode::not_found,
                           fmt::format("the effect {} was never begun", settle.effect));
  refusal->subject = settle.effect;
  return refusal;
}

Refusal CheckSettleEffect(const Situation& situation) {
  const commands::SettleEffectT& settle = *situation.command.body.AsSettleEffect();
  const EffectRecord* effect = FindEffect(*situation.saga, settle.effect);
  if (effect->settled.IsNone() ||
      effect->settlement == SettlementHash(settle.outcome, settle.result)) {
    return nullptr;
  }
  return RefuseEffect(
      situation, RefusalCode::effect_settled, *effect, effect->settled,
      fmt::format("{} was settled otherwise at {}", effect->effect, effect->settled.value()));
}

void ActSettleEffect(const Situation& situation, Decision& decision) {
  const commands::SettleEffectT& settle = *situation.command.body.AsSettleEffect();
  if (!FindEffect(*situation.saga, settle.effect)->settled.IsNone()) {
    return;
  }
  events::EffectSettledT event;
  event.effect = settle.effect;
  event.outcome = settle.outcome;
  event.result = settle.result;
  Append(decision, situation, std::move(event));
}

Refusal CheckRecordExit(const Situation& situation) {
  const commands::RecordExitT& record = *situation.command.body.AsRecordExit();
  const ExitRecord* exit = situation.saga->Exit();
  if (exit == nullptr || exit->code == *record.exit_code) {
    return nullptr;
  }
  Refusal refusal = Refuse(situation, RefusalCode::wrong_state,
                           fmt::format("the exit code {} is recorded already", exit->code));
  refusal->actual = exit->code;
  refusal->actual_sequence = exit->sequence.value();
  return refusal;
}

void ActRecordExit(const Situation& situation, Decision& decision) {
  if (situation.saga->Exit() != nullptr) {
    return;
  }
  events::ExitRecordedT event;
  event.exit_code = *situation.command.body.AsRecordExit()->exit_code;
  Append(decision, situation, std::move(event));
}

}  // namespace sagalog::rules
