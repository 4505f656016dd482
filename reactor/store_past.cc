// A saga as it was, from a running store: what is in memory says where to look.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "reactor/asked_place.h"
#include "reactor/past_facts.h"
#include "reactor/past_saga.h"
#include "reactor/replay.h"
#include "reactor/saga_view.h"
#include "reactor/store_engine.h"

namespace sagalog {
namespace {

// Gathers what others did to one saga by some place, from what is known of them now.
class OthersThen {
 public:
  OthersThen(Store::Engine& engine, Sequence through) : engine_(engine), through_(through) {}

  Result<SagaSnapshot> Complete(Saga then, const Saga& now, StoreTime moment,
                                const std::vector<Sequence>& of_store) {
    for (const Sequence sequence : of_store) {
      ASSIGN_OR_RETURN(const StoredEvent event, engine_.log().Read(sequence));
      facts_.Note(*event);
    }
    if (now.extras) {
      RETURN_IF_ERROR(NoteChildren(then, now.extras->children));
      NoteSettlements(now.extras->effects);
    }
    if (then.extras) {
      RETURN_IF_ERROR(NoteEnds(then.extras->depends_on));
    }
    return facts_.Complete(std::move(then), through_, moment);
  }

 private:
  // They are in the order of their planning, and those of then come first.
  Status NoteChildren(const Saga& then, const std::vector<std::string>& children) {
    std::size_t planned = 0;
    std::size_t later = children.size();
    while (planned < later) {
      const std::size_t middle = planned + (later - planned) / 2;
      ASSIGN_OR_RETURN(const auto child, engine_.FindSaga(children[middle]));
      if (child && child->saga.planned_sequence <= through_) {
        planned = middle + 1;
      } else {
        later = middle;
      }
    }
    for (std::size_t i = 0; i < planned; ++i) {
      facts_.NoteChild(then.id, then.planned_sequence, children[i]);
    }
    return {};
  }

  // Each is settled once, in whichever generation of the key.
  void NoteSettlements(const std::vector<EffectRecord>& effects) {
    for (const EffectRecord& effect : effects) {
      if (!effect.settled.IsNone()) {
        facts_.NoteSettlement(effect.begun, effect.settled, effect.settlement);
      }
    }
  }

  // A terminal saga's reason is that of the event that ended it.
  Status NoteEnds(const std::vector<DependencyRecord>& dependencies) {
    for (const DependencyRecord& dependency : dependencies) {
      ASSIGN_OR_RETURN(const auto found, engine_.FindSaga(dependency.saga_id));
      if (found && found->saga.IsTerminal()) {
        facts_.NoteEnd(dependency.saga_id, found->saga.reason_sequence, found->saga.state_since,
                       found->saga.state == State::completed);
      }
    }
    return {};
  }

  Store::Engine& engine_;
  const Sequence through_;
  PastFacts facts_;
};

}  // namespace

Result<answers::SagaT> Store::FindPast(std::string_view saga, const PastMoment& at) {
  Sequence applied;
  std::uint64_t counted = 0;
  StoreTime now;
  RETURN_IF_ERROR(engine_->RunInTurn([&](const Decider& decider) {
    applied = decider.Applied();
    counted = StoreEventIndex::CountIn(decider.projections().statistics());
    now = decider.now();
  }));
  const EventLog& log = engine_->log();
  ASSIGN_OR_RETURN(const PastPlace place,
                   FindAskedPlace(log, std::min(applied, log.Last()), at, now));
  ASSIGN_OR_RETURN(const auto found, engine_->FindSaga(saga));
  const Sequence newest_now = found ? found->saga.sequence : Sequence();
  ASSIGN_OR_RETURN(const Sequence newest, NewestThrough(log, newest_now, place.through));
  if (newest.IsNone()) {
    return Status(Code::kNotFound, fmt::format("there was no saga {} then", saga));
  }
  ASSIGN_OR_RETURN(Saga then, FoldHistory(log, newest));
  ASSIGN_OR_RETURN(std::vector<Sequence> of_store,
                   engine_->state().store_events().Find(log, applied, counted));
  of_store.erase(std::upper_bound(of_store.begin(), of_store.end(), place.through), of_store.end());
  ASSIGN_OR_RETURN(const SagaSnapshot snapshot,
                   OthersThen(*engine_, place.through)
                       .Complete(std::move(then), found->saga, place.moment, of_store));
  ASSIGN_OR_RETURN(const auto view, SagaViewer(log).View(snapshot));
  return std::move(*view);
}

}  // namespace sagalog
