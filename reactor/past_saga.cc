#include "reactor/past_saga.h"

#include <utility>

#include <fmt/format.h>

#include "reactor/asked_place.h"
#include "reactor/past_facts.h"

namespace sagalog {

Result<SagaSnapshot> FoldPastSaga(const EventLog& log, std::string_view saga_id,
                                  const PastPlace& place) {
  PastFacts facts;
  Saga saga;
  RETURN_IF_ERROR(
      log.Scan(Sequence(1), place.through, [&](const events::Event& event, std::string_view) {
        facts.Note(event);
        if (event.saga_id() != nullptr && event.saga_id()->string_view() == saga_id) {
          ApplyToSaga(saga, event);
        }
        return Status();
      }));
  if (saga.id.empty()) {
    return Status(Code::kNotFound, fmt::format("there was no saga {} then", saga_id));
  }
  return facts.Complete(std::move(saga), place.through, place.moment);
}

Result<answers::SagaT> FindPastSaga(const EventLog& log, std::string_view saga_id,
                                    const PastMoment& at, StoreTime now) {
  ASSIGN_OR_RETURN(const PastPlace place, FindAskedPlace(log, log.Last(), at, now));
  ASSIGN_OR_RETURN(const SagaSnapshot snapshot, FoldPastSaga(log, saga_id, place));
  ASSIGN_OR_RETURN(const auto view, SagaViewer(log).View(snapshot));
  return std::move(*view);
}

Result<Sequence> NewestThrough(const EventLog& log, Sequence newest, Sequence through) {
  Sequence at = newest;
  while (at > through) {
    ASSIGN_OR_RETURN(const StoredEvent event, log.Read(at));
    const Sequence transition(event->previous_transition());
    at = transition > through ? transition : Sequence(event->previous());
  }
  return at;
}

}  // namespace sagalog
