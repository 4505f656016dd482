#include "tests/projections/random_history.h"

#include <memory>
#include <utility>

namespace sagalog {

std::string RandomHistory::SomeSaga() {
  // The newest are chosen more often, the oldest now and then.
  const std::uint64_t back =
      OneIn(4) ? Below(ids_.size()) : Below(std::min<std::size_t>(ids_.size(), 20));
  return ids_[ids_.size() - 1 - back];
}

void RandomHistory::PlanOne() {
  PlanFacts facts;
  const std::string id = "saga" + std::to_string(ids_.size());
  if (OneIn(2)) {
    facts.key = "key" + std::to_string(Below(6));
    if (history_.state().HolderOfKey(facts.key) != nullptr) {
      facts.key.clear();
    } else {
      const auto row = history_.rows().FindKey(facts.key);
      const Saga* ended = history_.state().NewestEndedOfKey(facts.key);
      facts.generation = 1 + std::max(row.ok() && *row ? (*row)->generation : 0,
                                      ended == nullptr ? 0 : ended->generation);
    }
  }
  facts.queue = OneIn(3) ? "other" : "default";
  facts.priority = static_cast<std::int32_t>(Below(3)) - 1;
  facts.not_before = OneIn(5) ? now_ + static_cast<double>(Below(30)) : 0;
  for (std::uint64_t i = Below(3); i > 0; --i) {
    facts.targets.push_back("target" + std::to_string(Below(9)));
  }
  facts.shared = OneIn(2);
  if (!ids_.empty() && OneIn(4)) {
    const Saga* dependency = history_.state().Find(SomeSaga());
    if (dependency != nullptr && !dependency->IsTerminal()) {
      facts.depends_on = {dependency->id};
    }
  }
  if (!ids_.empty() && OneIn(4)) {
    facts.parent = SomeSaga();
  }
  if (OneIn(3)) {
    facts.labels = {{"team", std::to_string(Below(3))}, {"env", "prod"}};
  }
  facts.request = OneIn(2) ? 1'000'000 + ids_.size() : 0;
  history_.Plan(id, facts);
  ids_.push_back(id);
}

void RandomHistory::StepOfStore() {
  schema::PolicyT policy;
  policy.lease_ttl = Seconds(static_cast<double>(1 + Below(100)));
  policy.max_dispatch_failures = static_cast<std::int64_t>(Below(3));
  switch (Below(4)) {
    case 0: history_.ComeBack(); break;
    case 1: {
      events::QueueConfiguredT body;
      body.queue = OneIn(2) ? "other" : "unused";
      body.limit = static_cast<std::int64_t>(Below(9));
      body.policy = std::make_unique<schema::PolicyT>(policy);
      history_.Append("", std::move(body));
      break;
    }
    case 2: {
      events::PolicyChangedT body;
      body.policy = std::make_unique<schema::PolicyT>(policy);
      history_.Append("", std::move(body));
      break;
    }
    default: history_.Append("", events::ClockSteppedT()); break;
  }
}

void RandomHistory::End(const std::string& id) {
  history_.End(id, OneIn(2) ? State::completed : OneIn(2) ? State::failed : State::cancelled);
}

void RandomHistory::StepOfPlanned(const std::string& id) {
  switch (Below(6)) {
    case 0: history_.Park(id); break;
    case 1: history_.Append(id, events::UnparkedT()); break;
    case 2: history_.Dispatch(id, SomeOwner(), static_cast<double>(Below(20))); break;
    case 3: End(id); break;
    default: history_.Acquire(id, SomeOwner(), static_cast<double>(1 + Below(20))); break;
  }
}

void RandomHistory::StepOfDispatched(const std::string& id) {
  switch (Below(4)) {
    case 0: history_.Append(id, events::DispatchAbortedT()); break;
    case 1: history_.Heartbeat(id, 5); break;
    case 2: End(id); break;
    default: history_.Acquire(id, SomeOwner(), 10); break;
  }
}

void RandomHistory::StepOfRunning(const Saga& saga) {
  const std::string id = saga.id;
  switch (Below(14)) {
    case 0: history_.Append(id, events::ReleasedT()); break;
    case 1: {
      events::SectionEnteredT body;
      body.name = "push";
      body.max_age = Seconds(7);
      history_.Append(id, body);
      break;
    }
    case 2: history_.Append(id, events::SectionLeftT()); break;
    case 3: {
      events::EffectBegunT body;
      body.effect = "effect" + std::to_string(history_.log().Last().value());
      body.fingerprint = "f";
      history_.Append(id, body);
      break;
    }
    case 4: history_.Append(id, events::ExitRecordedT(), OneIn(2) ? 7 : 0); break;
    case 5: history_.Append(id, events::CancelRequestedT()); break;
    case 6: {
      events::OwnerReportedT body;
      body.verdict = OneIn(2) ? schema::Verdict::dead : schema::Verdict::alive;
      history_.Append(id, std::move(body));
      break;
    }
    case 7: history_.Acquire(id, SomeOwner(), 9, schema::LeaseHow::taken_over); break;
    case 8: history_.Append(id, events::CompensatingT()); break;
    case 9: {
      events::RecoveredT body;
      body.not_before = OneIn(2) ? Seconds(now_ + 5) : 0;
      history_.Append(id, std::move(body));
      break;
    }
    case 10:
    case 11: End(id); break;
    default: history_.Heartbeat(id, static_cast<double>(Below(30)), OneIn(2) ? "half" : "");
  }
}

void RandomHistory::StepOfCompensations(const Saga& saga) {
  for (const CompensationRecord& record : saga.compensations) {
    if (record.IsSettled()) {
      continue;
    }
    const std::string id = record.id.str();
    if (record.state == CompensationState::claimed) {
      history_.SettleCompensation(
          saga.id, id,
          OneIn(4) ? schema::CompensationOutcome::failed : schema::CompensationOutcome::done);
    } else {
      history_.ClaimCompensation(saga.id, id);
    }
    return;
  }
}

bool RandomHistory::SettleOne(const Saga& saga) {
  if (saga.extras) {
    for (const EffectRecord& effect : saga.extras->effects) {
      if (effect.settled.IsNone()) {
        events::EffectSettledT body;
        body.effect = effect.effect;
        body.outcome = "done";
        history_.Append(saga.id, body);
        return true;
      }
    }
  }
  if (saga.IsSettled()) {
    return false;
  }
  StepOfCompensations(saga);
  return true;
}

void RandomHistory::StepOfEnded(const Saga& saga) {
  if (!SettleOne(saga) && OneIn(3)) {
    history_.Append(saga.id, events::AnnotatedT(), OneIn(2) ? 9 : 0);
  }
}

void RandomHistory::StepOf(const Saga& saga) {
  switch (saga.state) {
    case State::planned: StepOfPlanned(saga.id); break;
    case State::dispatched: StepOfDispatched(saga.id); break;
    case State::running: StepOfRunning(saga); break;
    case State::compensating:
      if (saga.compensation_status == CompensationStatus::owed ||
          saga.compensation_status == CompensationStatus::failed) {
        StepOfCompensations(saga);
      } else {
        history_.End(saga.id, State::compensated);
      }
      break;
    default: StepOfEnded(saga); break;
  }
}

void RandomHistory::Step() {
  if (OneIn(2)) {
    now_ += static_cast<double>(Below(4'000'000)) / 1e6;
    history_.SetTime(now_);
  }
  if (OneIn(40)) {
    StepOfStore();
  } else if (ids_.empty() || OneIn(5)) {
    PlanOne();
  } else {
    StepOf(history_.Get(SomeSaga()));
  }
}

void RandomHistory::EndAll() {
  for (const std::string& id : ids_) {
    if (!history_.Get(id).IsTerminal()) {
      history_.End(id);
    }
    while (SettleOne(history_.Get(id))) {
    }
  }
}

}  // namespace sagalog
