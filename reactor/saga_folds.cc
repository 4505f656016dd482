#include "reactor/saga_folds.h"

#include <utility>

namespace sagalog {

Result<const Saga*> SagaFolds::At(std::string_view saga_id, Sequence newest) {
  if (newest.IsNone()) {
    return &nobody_;
  }
  const auto found = sagas_.find(std::string(saga_id));
  if (found != sagas_.end() && found->second.sequence == newest) {
    return &found->second;
  }
  Saga start = NewestSnapshot(saga_id, newest);
  if (found != sagas_.end() && found->second.sequence < newest &&
      found->second.sequence > start.sequence) {
    start = std::move(found->second);
    sagas_.erase(found);
  }
  ASSIGN_OR_RETURN(Saga folded, FoldFrom(std::move(start), newest));
  return &Keep(std::move(folded));
}

Result<const Saga*> SagaFolds::After(const events::Event& event) {
  const std::string_view saga_id = event.saga_id()->string_view();
  const auto found = sagas_.find(std::string(saga_id));
  if (found != sagas_.end() && found->second.sequence == Sequence(event.sequence())) {
    return &found->second;
  }
  ASSIGN_OR_RETURN(const Saga* const before, At(saga_id, Sequence(event.previous())));
  if (before == &nobody_) {
    Saga planned;
    ApplyToSaga(planned, event);
    return &Keep(std::move(planned));
  }
  // It is one of ours.
  Saga& saga = sagas_.find(before->id)->second;
  ApplyToSaga(saga, event);
  return &saga;
}

// The events between, back to where `start` stands.
Result<Saga> SagaFolds::FoldFrom(Saga start, Sequence newest) {
  std::vector<Sequence> newest_first;
  const Status reached(Code::kCancelled, "from here on it is folded");
  const Status walked =
      log_.WalkBack(newest, false, [&](const events::Event& event, std::string_view) {
        if (event.sequence() <= start.sequence.value()) {
          return reached;
        }
        newest_first.emplace_back(event.sequence());
        return Status();
      });
  if (!walked.ok() && walked.code() != Code::kCancelled) {
    return walked;
  }
  return FoldLong(std::move(start), newest_first);
}

Result<Saga> SagaFolds::FoldLong(Saga start, const std::vector<Sequence>& newest_first) {
  const bool is_long = newest_first.size() > kSnapshotEvents;
  if (is_long && (snapshots_.empty() || start.id.empty() || snapshots_.front().id != start.id)) {
    snapshots_.clear();
  }
  Saga saga = std::move(start);
  std::size_t events = 0;
  for (auto sequence = newest_first.rbegin(); sequence != newest_first.rend(); ++sequence) {
    ASSIGN_OR_RETURN(const StoredEvent event, log_.Read(*sequence));
    ApplyToSaga(saga, *event);
    const bool is_new = snapshots_.empty() || snapshots_.back().sequence < saga.sequence;
    if (is_long && ++events % kSnapshotEvents == 0 && is_new) {
      snapshots_.push_back(saga);
    }
  }
  return saga;
}

Saga SagaFolds::NewestSnapshot(std::string_view saga_id, Sequence newest) const {
  for (auto snapshot = snapshots_.rbegin(); snapshot != snapshots_.rend(); ++snapshot) {
    if (snapshot->sequence <= newest && snapshot->id == saga_id) {
      return *snapshot;
    }
  }
  return {};
}

// At the bound all go: those that are asked for again are folded again.
Saga& SagaFolds::Keep(Saga saga) {
  if (sagas_.size() >= kSagasMax) {
    std::erase_if(sagas_, [](const auto& one) { return one.second.IsTerminal(); });
  }
  if (sagas_.size() >= kSagasMax) {
    sagas_.clear();
  }
  std::string id = saga.id;
  return sagas_.insert_or_assign(std::move(id), std::move(saga)).first->second;
}

}  // namespace sagalog
