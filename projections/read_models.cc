#include "projections/read_models.h"

#include <utility>

#include <fmt/format.h>

#include "projections/event_mark.h"
#include "schema/check.h"
#include "schema/text_view.h"

namespace sagalog {
namespace {

// How many sagas an event lets go of: more than it can bring, so that those that wait to leave
// memory become fewer, and few enough that no event takes long.
constexpr std::size_t kLetGoPerEvent = 4;

std::uint64_t& CountOf(Statistics& statistics, State state) {
  return statistics.sagas_by_state[static_cast<std::size_t>(state)];
}

}  // namespace

Status ReadModels::Apply(const events::Event& event) {
  CHECK(event.sequence() == applied_.value() + 1);
  if (event.saga_id() == nullptr || event.saga_id()->size() == 0) {
    RETURN_IF_ERROR(ApplyToStore(event));
  } else if (event.body_type() == events::Body::Planned) {
    RETURN_IF_ERROR(Plan(event));
  } else {
    RETURN_IF_ERROR(ApplyToOneSaga(event));
  }
  ++statistics_.events_by_type[static_cast<std::size_t>(event.body_type())];
  facts_.last_time = TimeFromMicros(event.time());
  facts_.last_event = EventMark(event);
  applied_ = Sequence(event.sequence());
  if (trial_ == nullptr) {
    LetGo(kLetGoPerEvent);
  }
  return {};
}

Status ReadModels::Plan(const events::Event& event) {
  const std::string_view saga_id = View(event.saga_id());
  if (sagas_.Find(saga_id) != nullptr) {
    return {Code::kCorruption,
            fmt::format("event {} plans saga {} again", event.sequence(), saga_id)};
  }
  Saga planned;
  ApplyToSaga(planned, event);
  Saga& saga = Add(std::move(planned));
  if (trial_ != nullptr) {
    NotePlanned(saga);
  }
  changed_.Touch(saga);
  if (const auto* labels = event.body_as_Planned()->labels()) {
    for (const schema::Label* label : *labels) {
      labels_.Add(saga, View(label->name()), View(label->value()));
    }
  }
  Update(saga, saga.owner);
  AppendToParent(saga);
  ++CountOf(statistics_, saga.state);
  return {};
}

Status ReadModels::ApplyToOneSaga(const events::Event& event) {
  ASSIGN_OR_RETURN(Saga* const found,
                   FindOrThaw(View(event.saga_id()), Sequence(event.sequence())));
  Saga& saga = *found;
  Touch(saga);
  if (event.body_type() == events::Body::Heartbeated) {
    ApplyToSaga(saga, event);
    UpdateDeadlines(saga);
    return {};
  }
  const State state_before = saga.state;
  const InternedText owner_before = saga.owner;
  ApplyToSaga(saga, event);
  if (saga.IsHeld() && saga.owner != owner_before) {
    NoteBoot(saga.owner);
  }
  Update(saga, owner_before);
  if (event.body_type() == events::Body::EffectSettled) {
    SettleInAllGenerations(saga, Sequence(event.sequence()));
  }
  if (event.request_id() != nullptr) {
    sagas_.ListNewestRequest(saga);
  }
  if (saga.state != state_before) {
    --CountOf(statistics_, state_before);
    ++CountOf(statistics_, saga.state);
    if (saga.IsTerminal() && !IsTerminal(state_before)) {
      ResolveDependents(saga);
    }
  }
  return {};
}

Result<Saga*> ReadModels::FindOrThaw(std::string_view saga_id, Sequence sequence) {
  ASSIGN_OR_RETURN(Saga* const found, FindAnywhere(saga_id));
  if (found == nullptr) {
    return Status(Code::kCorruption, fmt::format("event {} is of saga {}, which was never planned",
                                                 sequence.value(), saga_id));
  }
  return found;
}

Result<Saga*> ReadModels::FindAnywhere(std::string_view saga_id) {
  if (Saga* found = sagas_.Find(saga_id)) {
    return found;
  }
  ASSIGN_OR_RETURN(auto ended, rows_.FindSaga(saga_id));
  return ended ? &Admit(*std::move(ended)) : nullptr;
}

Saga& ReadModels::Admit(Saga saga) {
  if (Saga* found = sagas_.Find(saga.id)) {
    return *found;
  }
  Saga& admitted = Add(std::move(saga));
  admitted.places.has_ended_row = true;
  changed_.NoteAdmitted(admitted);
  Update(admitted, admitted.owner);
  return admitted;
}

void ReadModels::Restore(StoreRow row) {
  CHECK(applied_.IsNone() && sagas_.size() == 0);
  applied_ = row.sequence;
  facts_ = std::move(row.facts);
  statistics_ = row.statistics;
  queues_.RefreshContexts();
  for (auto& [name, configuration] : row.queues) {
    queues_.Configure(name, std::move(configuration));
  }
}

void ReadModels::Restore(LiveRow row) {
  Saga& saga = Add(std::move(row.saga));
  saga.places.has_live_row = true;
  for (const auto& [name, value] : row.labels) {
    labels_.Add(saga, name, value);
  }
  Update(saga, saga.owner);
}

std::string ReadModels::EncodeStore() const {
  return EncodeStoreRow(applied_, facts_, statistics_, queues_.Configured());
}

Saga& ReadModels::Add(Saga saga) {
  Saga& added = sagas_.Add(std::move(saga));
  queues_.Add(added);
  return added;
}

void ReadModels::Remove(Saga& saga) {
  Unlist(saga);
  labels_.Remove(saga);
  sagas_.Remove(saga);
}

void ReadModels::Unlist(Saga& saga) {
  keys_.Remove(saga);
  targets_.Remove(saga);
  stale_.Remove(saga);
  owners_.Remove(saga);
  dependents_.Remove(saga);
  backlog_.Remove(saga);
  effects_in_doubt_.Remove(saga);
  open_sections_.Remove(saga);
  queues_.Remove(saga);
}

void ReadModels::LetGo(std::size_t sagas_max) {
  for (; sagas_max > 0; --sagas_max) {
    Saga* leaving = changed_.NextLeaving();
    if (leaving == nullptr) {
      return;
    }
    Remove(*leaving);
  }
}

void ReadModels::PutAside(std::string_view saga_id) {
  if (Saga* saga = sagas_.Find(saga_id)) {
    stale_.PutAside(*saga);
  }
}

void ReadModels::BringBack(std::string_view saga_id) {
  if (Saga* saga = sagas_.Find(saga_id)) {
    stale_.BringBack(*saga);
  }
}

void ReadModels::Update(Saga& saga, const InternedText& owner_before) {
  UpdateDeadlines(saga);
  keys_.Update(saga);
  targets_.Update(saga);
  owners_.Update(saga, owner_before);
  dependents_.Update(saga);
  backlog_.Update(saga);
  effects_in_doubt_.Update(saga);
  open_sections_.Update(saga);
  // A trial may bring it back to life, with its labels.
  if (MayLeaveMemory(saga) && trial_ == nullptr) {
    labels_.Remove(saga);
  }
}

void ReadModels::UpdateDeadlines(Saga& saga) {
  const StalenessContext& context = queues_.ContextOf(saga);
  queues_.Update(saga, context);
  stale_.Update(saga, context);
}

void ReadModels::ResolveDependents(const Saga& ended) {
  for (Saga* saga : dependents_.WaitingFor(ended.id)) {
    Touch(*saga);
    for (DependencyRecord& dependency : saga->extras->depends_on) {
      if (dependency.saga_id != ended.id ||
          dependency.standing != DependencyRecord::Standing::kUnmet) {
        continue;
      }
      if (ended.state == State::completed) {
        dependency.standing = DependencyRecord::Standing::kMet;
      } else {
        dependency.standing = DependencyRecord::Standing::kDead;
        dependency.dead_since = ended.state_since;
      }
    }
    Update(*saga, saga->owner);
  }
}

void ReadModels::SettleInAllGenerations(const Saga& saga, Sequence settled) {
  for (const EffectRecord& record : saga.extras->effects) {
    if (!record.key_scope || record.settled != settled) {
      continue;
    }
    for (Saga* other : effects_in_doubt_.GenerationsThatAwait(saga.key)) {
      for (std::size_t i = 0; i < other->extras->effects.size(); ++i) {
        if (other->extras->effects[i].begun == record.begun) {
          Touch(*other);
          other->extras->effects[i].settled = settled;
          other->extras->effects[i].settlement = record.settlement;
          Update(*other, other->owner);
        }
      }
    }
  }
}

void ReadModels::AppendToParent(const Saga& child) {
  if (!child.extras || child.extras->parent.empty()) {
    return;
  }
  Saga* parent = sagas_.Find(child.extras->parent);
  if (parent == nullptr || parent->IsTerminal()) {
    return;
  }
  Touch(*parent);
  parent->extras.Ensure().children.push_back(child.id);
}

}  // namespace sagalog
