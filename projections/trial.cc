// Taking events back. Every list is a function of the sagas' present state, so a saga is taken off
// all lists, put back into its former state, and listed again like one that was loaded.
#include <memory>
#include <utility>

#include "projections/read_models.h"
#include "projections/saga_rows.h"
#include "schema/check.h"

namespace sagalog {

void ReadModels::BeginTrial() {
  CHECK(trial_ == nullptr);
  trial_ = std::make_unique<Trial>();
  trial_->applied = applied_;
  trial_->facts = facts_;
  trial_->statistics = statistics_;
}

void ReadModels::NoteBefore(Saga& saga) {
  if (trial_->touched.insert(&saga).second) {
    trial_->sagas.push_back({&saga, saga, keys_.NewestEndedOf(saga.key)});
  }
}

void ReadModels::NotePlanned(Saga& saga) {
  trial_->touched.insert(&saga);
  trial_->planned.insert(&saga);
  trial_->sagas.push_back({&saga, std::nullopt, keys_.NewestEndedOf(saga.key)});
}

void ReadModels::NoteQueueBefore(std::string_view name) {
  std::optional<QueueConfiguration> before;
  if (queues_.IsConfigured(name)) {
    before = queues_.Configuration(name);
  }
  trial_->queues.try_emplace(std::string(name), std::move(before));
}

void ReadModels::KeepTrial() {
  CHECK(trial_ != nullptr);
  const std::unique_ptr<Trial> trial = std::move(trial_);
  for (const Trial::Before& before : trial->sagas) {
    if (MayLeaveMemory(*before.saga)) {
      labels_.Remove(*before.saga);
    }
  }
}

void ReadModels::RollBack() {
  CHECK(trial_ != nullptr);
  const std::unique_ptr<Trial> trial = std::move(trial_);
  for (const Trial::Before& before : trial->sagas) {
    Unlist(*before.saga);
  }
  for (auto before = trial->sagas.rbegin(); before != trial->sagas.rend(); ++before) {
    if (before->image) {
      sagas_.Restore(*before->saga, *std::move(before->image));
    } else {
      labels_.Remove(*before->saga);
      changed_.Forget(*before->saga);
      sagas_.Remove(*before->saga);
    }
  }
  applied_ = trial->applied;
  facts_ = std::move(trial->facts);
  statistics_ = trial->statistics;
  for (auto& [name, configuration] : trial->queues) {
    queues_.Restore(name, std::move(configuration));
  }
  queues_.RefreshContexts();
  ListAgain(*trial);
}

void ReadModels::ListAgain(const Trial& trial) {
  for (const Trial::Before& before : trial.sagas) {
    if (!trial.planned.contains(before.saga)) {
      queues_.Add(*before.saga);
      Update(*before.saga, before.saga->owner);
    }
  }
  // A generation that gave up its place as the newest to one that ended on trial.
  for (const Trial::Before& before : trial.sagas) {
    if (before.newest_of_key != nullptr && !trial.planned.contains(before.newest_of_key)) {
      keys_.Update(*before.newest_of_key);
    }
  }
  if (trial.policy_changed) {
    UpdateDeadlinesWhere([](const Saga&) { return true; });
  }
}

}  // namespace sagalog
