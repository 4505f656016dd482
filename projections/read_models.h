// All read models together, and the fold that keeps them.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "projections/changed_sagas.h"
#include "projections/compensation_backlog.h"
#include "projections/dependents.h"
#include "projections/effects_in_doubt.h"
#include "projections/keys.h"
#include "projections/labels.h"
#include "projections/open_sections.h"
#include "projections/owners.h"
#include "projections/projections.h"
#include "projections/queues.h"
#include "projections/saga_table.h"
#include "projections/stale_index.h"
#include "projections/store_row.h"
#include "projections/targets.h"
#include "projections/trial.h"

namespace sagalog {

// What Projections shows to other folders. Every list is a function of the sagas' present state:
// after an event each model looks where the saga belongs, compares that with where it is, and moves
// it. So a load from rows, where all sagas are new, gives the same lists as the fold.
class ReadModels {
 public:
  explicit ReadModels(const EndedRows& rows) : rows_(rows) {}
  ReadModels(const ReadModels&) = delete;
  ReadModels& operator=(const ReadModels&) = delete;

  Status Apply(const events::Event& event);
  // Puts a saga that was read from an ended row into memory, unless it is there.
  Saga& Admit(Saga saga);

  // trial.cc: see Projections.
  void BeginTrial();
  void KeepTrial();
  void RollBack();

  // Loading: the meta row first, then all live rows.
  void Restore(StoreRow row);
  void Restore(LiveRow row);
  // The meta row as of now.
  [[nodiscard]] std::string EncodeStore() const;

  [[nodiscard]] ChangedSagas& changed() { return changed_; }
  // Lets go of at most `sagas_max` sagas that may leave memory.
  void LetGo(std::size_t sagas_max);

  // Of the stale index; nothing when the saga is not there.
  void PutAside(std::string_view saga_id);
  void BringBack(std::string_view saga_id);

  [[nodiscard]] Sequence applied() const { return applied_; }
  [[nodiscard]] const StoreFacts& facts() const { return facts_; }
  [[nodiscard]] const Statistics& statistics() const { return statistics_; }
  [[nodiscard]] const SagaTable& sagas() const { return sagas_; }
  [[nodiscard]] const Keys& keys() const { return keys_; }
  [[nodiscard]] const Targets& targets() const { return targets_; }
  // Not const: what has come due moves when somebody asks.
  [[nodiscard]] Queues& queues() { return queues_; }
  [[nodiscard]] const StaleIndex& stale() const { return stale_; }
  [[nodiscard]] const Owners& owners() const { return owners_; }
  [[nodiscard]] const Labels& labels() const { return labels_; }
  [[nodiscard]] const Dependents& dependents() const { return dependents_; }
  [[nodiscard]] const CompensationBacklog& backlog() const { return backlog_; }
  [[nodiscard]] const EffectsInDoubt& effects_in_doubt() const { return effects_in_doubt_; }
  [[nodiscard]] const OpenSections& open_sections() const { return open_sections_; }

 private:
  Status ApplyToOneSaga(const events::Event& event);
  Status Plan(const events::Event& event);
  Status ApplyToStore(const events::Event& event);

  // The saga, from its row if it is not in memory; null = there is none.
  Result<Saga*> FindAnywhere(std::string_view saga_id);
  // The same of a saga that must be there.
  Result<Saga*> FindOrThaw(std::string_view saga_id, Sequence sequence);
  Saga& Add(Saga saga);
  void Remove(Saga& saga);
  // Takes the saga off all lists but its labels; it stays in the table.
  void Unlist(Saga& saga);

  // Before a saga changes.
  void Touch(Saga& saga) {
    if (trial_ != nullptr) {
      NoteBefore(saga);
    }
    changed_.Touch(saga);
  }
  // What a trial has to remember.
  void NoteBefore(Saga& saga);
  void NotePlanned(Saga& saga);
  void NoteQueueBefore(std::string_view name);
  void ListAgain(const Trial& trial);

  void Update(Saga& saga, const InternedText& owner_before);
  // The part that a heartbeat moves.
  void UpdateDeadlines(Saga& saga);
  // Of all sagas for which `concerns(saga)`.
  template <typename Predicate>
  void UpdateDeadlinesWhere(const Predicate& concerns) {
    sagas_.Planned().VisitAfter(Sequence(), [&](Saga& saga) {
      if (concerns(saga)) {
        UpdateDeadlines(saga);
      }
      return true;
    });
  }
  // A saga ended: tells those that waited for it.
  void ResolveDependents(const Saga& ended);
  void AppendToParent(const Saga& child);
  // An effect of scope `key` was settled by a call on `saga`: so it is in every generation that
  // knows it, ended or not.
  void SettleInAllGenerations(const Saga& saga, Sequence settled);

  void StoreOpened(const events::StoreOpened& event, StoreReturn back);
  void StoreCameBack(StoreReturn back);
  Status RefusalsNoted(const events::RefusalsNoted& event, Sequence sequence);
  // The boot, if it is new to the store.
  void NoteBoot(const InternedText& owner);
  void NoteRequest(const events::Event& event);
  void QueueConfigured(const events::QueueConfigured& event);
  void PolicyChanged(const events::PolicyChanged& event);

  const EndedRows& rows_;
  Sequence applied_;
  StoreFacts facts_;
  Statistics statistics_;
  SagaTable sagas_;
  Keys keys_;
  Targets targets_;
  Queues queues_{facts_};
  StaleIndex stale_{queues_};
  Owners owners_;
  Labels labels_;
  Dependents dependents_;
  CompensationBacklog backlog_;
  EffectsInDoubt effects_in_doubt_;
  OpenSections open_sections_;
  ChangedSagas changed_{labels_};
  // Null = what is folded is folded for good.
  std::unique_ptr<Trial> trial_;
};

}  // namespace sagalog
