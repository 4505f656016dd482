// What is irreversible and not over yet: effects in doubt, and open sections.
#include <utility>

#include "reactor/page_cursor.h"
#include "reactor/saga_view.h"
#include "reactor/store_engine.h"

namespace sagalog {
namespace {

// An effect as it was in the turn.
struct DoubtfulEffect {
  EffectRecord record;
  answers::EffectRowT row;
};

// Who holds the saga, or held it last.
template <typename Row>
void AddHolder(const Saga& saga, Row& row) {
  row.saga_id = saga.id;
  row.key = saga.key;
  if (saga.state != State::planned && !saga.owner.empty()) {
    row.owner = std::make_unique<schema::OwnerT>(OwnerFromIdentity(saga.owner));
  }
  if (saga.IsHeld()) {
    row.token = saga.token.value();
  }
}

// The page's effects; how many rows were looked at. Each saga on the list has one at least.
std::size_t CopyEffects(const Projections& state, const PageWindow& window,
                        std::vector<DoubtfulEffect>& effects) {
  std::size_t rows = 0;
  for (const Saga* saga : state.WithEffectsInDoubt(window.CountLookedAt())) {
    for (const EffectRecord& record : saga->extras->effects) {
      const bool inherited = record.begun < saga->planned_sequence;
      if (!record.settled.IsNone() || inherited || !window.Shows(rows++)) {
        continue;
      }
      DoubtfulEffect& effect = effects.emplace_back();
      effect.record = record;
      effect.row.state = saga->state;
      AddHolder(*saga, effect.row);
    }
    if (rows >= window.CountLookedAt()) {
      break;
    }
  }
  return rows;
}

std::unique_ptr<answers::SectionRowT> SectionRow(const Projections& state, const Saga& saga,
                                                 StoreTime now) {
  auto row = std::make_unique<answers::SectionRowT>();
  AddHolder(saga, *row);
  row->queue = saga.queue.str();
  row->stage = saga.stage.str();
  row->section = ViewSection(*saga.Section());
  const auto overdue_at = SectionOverdueAt(saga, state.PolicyOf(saga));
  row->overdue = overdue_at && now >= *overdue_at;
  row->expires_at = ToMicros(saga.expires_at);
  return row;
}

}  // namespace

Result<answers::EffectPageT> Store::EffectsInDoubt(const PageQuery& query) {
  ASSIGN_OR_RETURN(const PageWindow window, WindowOf(query));
  answers::EffectPageT page;
  std::vector<DoubtfulEffect> effects;
  RETURN_IF_ERROR(engine_->RunInTurn([&](const Decider& decider) {
    effects.clear();
    page.cursor = window.NextCursor(CopyEffects(decider.projections(), window, effects));
    page.sequence = decider.Applied().value();
  }));
  SagaViewer viewer(engine_->log());
  for (DoubtfulEffect& effect : effects) {
    ASSIGN_OR_RETURN(effect.row.effect, viewer.ViewEffect(effect.record));
    page.items.push_back(std::make_unique<answers::EffectRowT>(std::move(effect.row)));
  }
  return page;
}

Result<answers::SectionPageT> Store::Sections(const PageQuery& query) {
  ASSIGN_OR_RETURN(const PageWindow window, WindowOf(query));
  answers::SectionPageT page;
  RETURN_IF_ERROR(engine_->RunInTurn([&](const Decider& decider) {
    const Projections& state = decider.projections();
    const std::vector<const Saga*> sagas = state.WithOpenSection(window.CountLookedAt());
    page.items.clear();
    for (std::size_t i = window.offset; i < sagas.size() && window.Shows(i); ++i) {
      page.items.push_back(SectionRow(state, *sagas[i], decider.now()));
    }
    page.cursor = window.NextCursor(sagas.size());
    page.sequence = state.Applied().value();
  }));
  return page;
}

}  // namespace sagalog
