#include "reactor/list_reading.h"

#include <algorithm>
#include <span>
#include <utility>

#include "reactor/list_rows.h"
#include "reactor/rules/rules.h"
#include "reactor/saga_view.h"

namespace sagalog {
namespace {

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

template <typename Page>
Page PageOf(const ListReading& reading) {
  Page page;
  page.cursor = reading.cursor();
  page.sequence = reading.sequence().value();
  return page;
}

}  // namespace

void ListReading::Copy(const Projections& state, StoreTime now) {
  sequence_ = state.Applied();
  time_ = now;
  CopyRows(state, now);
}

void StaleReading::CopyRows(const Projections& state, StoreTime now) {
  const std::vector<const Saga*> stale = state.Stale(now, window().CountLookedAt());
  rows_.clear();
  for (std::size_t i = window().offset; i < stale.size() && window().Shows(i); ++i) {
    rows_.push_back(std::make_unique<answers::StaleRowT>(StaleRowOf(state, *stale[i], now)));
  }
  Count(stale.size());
}

Result<answers::StalePageT> StaleReading::Write(const EventLog& /*log*/) {
  auto page = PageOf<answers::StalePageT>(*this);
  page.items = std::move(rows_);
  return page;
}

void BacklogReading::CopyRows(const Projections& state, StoreTime now) {
  entries_.clear();
  std::size_t rows = 0;
  // Each saga there has an entry at least.
  for (const Saga* saga : state.CompensationBacklog(window().CountLookedAt())) {
    for (const CompensationRecord& record : saga->compensations) {
      if (record.IsSettled() || !window().Shows(rows++)) {
        continue;
      }
      Entry& entry = entries_.emplace_back();
      entry.record = record;
      entry.row = std::make_unique<answers::CompensationRowT>();
      entry.row->saga_id = saga->id;
      entry.row->state = saga->state;
      entry.row->claimable = rules::CheckClaimable(state, *saga, record, now) == nullptr;
    }
    if (rows >= window().CountLookedAt()) {
      break;
    }
  }
  Count(rows);
}

Result<answers::CompensationPageT> BacklogReading::Write(const EventLog& log) {
  auto page = PageOf<answers::CompensationPageT>(*this);
  SagaViewer viewer(log);
  for (Entry& entry : entries_) {
    ASSIGN_OR_RETURN(entry.row->compensation, viewer.ViewCompensation(entry.record));
    page.items.push_back(std::move(entry.row));
  }
  return page;
}

void OwnersReading::CopyRows(const Projections& state, StoreTime /*now*/) {
  holders_.clear();
  state.VisitOwners([&](const InternedText& owner, std::span<const Saga* const> sagas) {
    Holder& holder = holders_.emplace_back(Holder{owner, {}});
    for (const Saga* saga : sagas) {
      holder.sagas.push_back(saga->id);
    }
  });
  Count(holders_.size());
}

Result<answers::OwnerPageT> OwnersReading::Write(const EventLog& /*log*/) {
  auto page = PageOf<answers::OwnerPageT>(*this);
  std::sort(holders_.begin(), holders_.end(),
            [](const Holder& a, const Holder& b) { return a.owner.view() < b.owner.view(); });
  for (std::size_t i = window().offset; i < holders_.size() && window().Shows(i); ++i) {
    auto row = std::make_unique<answers::OwnerRowT>();
    row->owner = std::make_unique<schema::OwnerT>(OwnerFromIdentity(holders_[i].owner));
    row->sagas = std::move(holders_[i].sagas);
    std::sort(row->sagas.begin(), row->sagas.end());
    page.items.push_back(std::move(row));
  }
  return page;
}

void EffectsReading::CopyRows(const Projections& state, StoreTime /*now*/) {
  entries_.clear();
  std::size_t rows = 0;
  // Each saga on the list has one at least.
  for (const Saga* saga : state.WithEffectsInDoubt(window().CountLookedAt())) {
    for (const EffectRecord& record : saga->extras->effects) {
      const bool inherited = record.begun < saga->planned_sequence;
      if (!record.settled.IsNone() || inherited || !window().Shows(rows++)) {
        continue;
      }
      Entry& entry = entries_.emplace_back();
      entry.record = record;
      entry.row = std::make_unique<answers::EffectRowT>();
      entry.row->state = saga->state;
      AddHolder(*saga, *entry.row);
    }
    if (rows >= window().CountLookedAt()) {
      break;
    }
  }
  Count(rows);
}

Result<answers::EffectPageT> EffectsReading::Write(const EventLog& log) {
  auto page = PageOf<answers::EffectPageT>(*this);
  SagaViewer viewer(log);
  for (Entry& entry : entries_) {
    ASSIGN_OR_RETURN(entry.row->effect, viewer.ViewEffect(entry.record));
    page.items.push_back(std::move(entry.row));
  }
  return page;
}

void SectionsReading::CopyRows(const Projections& state, StoreTime now) {
  const std::vector<const Saga*> sagas = state.WithOpenSection(window().CountLookedAt());
  rows_.clear();
  for (std::size_t i = window().offset; i < sagas.size() && window().Shows(i); ++i) {
    rows_.push_back(SectionRow(state, *sagas[i], now));
  }
  Count(sagas.size());
}

Result<answers::SectionPageT> SectionsReading::Write(const EventLog& /*log*/) {
  auto page = PageOf<answers::SectionPageT>(*this);
  page.items = std::move(rows_);
  return page;
}

void QueuesReading::CopyRows(const Projections& state, StoreTime now) {
  const std::vector<std::string> names = state.QueueNames();
  rows_.clear();
  for (std::size_t i = window().offset; i < names.size() && window().Shows(i); ++i) {
    rows_.push_back(QueueRowOf(state, names[i], now));
  }
  Count(names.size());
}

void QueueReading::CopyRows(const Projections& state, StoreTime now) {
  row_ = QueueRowOf(state, queue_, now);
}

void PolicyReading::CopyRows(const Projections& state, StoreTime now) {
  const StoreFacts& facts = state.facts();
  policy_ = answers::StorePolicyT();
  policy_.policy = std::make_unique<schema::PolicyT>(facts.policy);
  if (facts.limit) {
    policy_.limit = *facts.limit;
  }
  policy_.slots_used = state.SlotsUsedInAll(now);
}

}  // namespace sagalog
