#include "tools/replay_cursor.h"

#include <algorithm>
#include <utility>

namespace sagalog::tools {
namespace {

// Going back looks through pieces of this many events, each from its beginning.
constexpr std::uint64_t kPieceEventsMin = 256;
constexpr std::uint64_t kPieceEventsMax = 65'536;

// Planned events that are kept for their labels: about 1 KB each.
constexpr std::size_t kPlannedMax = 10'000;

std::string_view SagaOf(const events::Event& event) {
  return event.saga_id() == nullptr ? std::string_view() : event.saga_id()->string_view();
}

Status Enough() { return {Code::kCancelled, "what was looked for is found"}; }

Status UnlessEnough(Status status) {
  return status.code() == Code::kCancelled ? Status() : std::move(status);
}

}  // namespace

ReplayCursor::ReplayCursor(const EventLog& log, Sequence first, Sequence last, EventFilter filter)
    : log_(log), first_(first), last_(last), filter_(std::move(filter)), folds_(log) {}

void ReplayCursor::Note(const events::Event& event) {
  if (event.sequence() == facts_.noted().value() + 1) {
    facts_.Note(event);
  }
}

Status ReplayCursor::NoteThrough(Sequence sequence) {
  if (facts_.noted() >= sequence) {
    return {};
  }
  return log_.Scan(facts_.noted().Next(), sequence,
                   [this](const events::Event& event, std::string_view) {
                     facts_.Note(event);
                     return Status();
                   });
}

Result<const EventSubject::Labels*> ReplayCursor::LabelsOf(const Saga& saga) {
  const EventSubject::Labels* const none = nullptr;
  if (!saga.extras || !saga.extras->labelled) {
    return none;
  }
  auto found = planned_.find(saga.planned_sequence.value());
  if (found == planned_.end()) {
    if (planned_.size() >= kPlannedMax) {
      planned_.clear();
    }
    ASSIGN_OR_RETURN(StoredEvent event, log_.Read(saga.planned_sequence));
    found = planned_.emplace(saga.planned_sequence.value(), std::move(event)).first;
  }
  const events::Planned* planned = found->second->body_as_Planned();
  return planned == nullptr ? none : planned->labels();
}

Result<bool> ReplayCursor::Matches(const events::Event& event) {
  if (!filter_.MayMatch(event)) {
    return false;
  }
  if (!filter_.AsksForSaga() || SagaOf(event).empty()) {
    return filter_.Matches(event, {});
  }
  ASSIGN_OR_RETURN(const Saga* const before, folds_.At(SagaOf(event), Sequence(event.previous())));
  before_ = *before;
  ASSIGN_OR_RETURN(const Saga* const saga, folds_.After(event));
  EventSubject subject;
  subject.owner = OwnerName(saga->owner);
  subject.queue = saga->queue.view();
  if (filter_.AsksForLabels()) {
    ASSIGN_OR_RETURN(subject.labels, LabelsOf(*saga));
  }
  return filter_.Matches(event, subject);
}

SagaGlance ReplayCursor::Glance(const Saga& saga, Sequence through, StoreTime moment) const {
  return saga.id.empty() ? SagaGlance() : GlanceAt(saga, facts_.StaleThen(saga, through, moment));
}

Result<ReplayStep> ReplayCursor::StepOf(const events::Event& event) {
  ReplayStep step{event, {}, {}};
  const Sequence sequence(event.sequence());
  const StoreTime moment = TimeFromMicros(event.time());
  const std::string_view saga_id = SagaOf(event);
  if (saga_id.empty()) {
    return step;
  }
  const Sequence previous(event.previous());
  const Saga* before = &before_;
  if (previous.IsNone() || before_.id != saga_id || before_.sequence != previous) {
    ASSIGN_OR_RETURN(before, folds_.At(saga_id, previous));
  }
  step.before = Glance(*before, Sequence(sequence.value() - 1), moment);
  ASSIGN_OR_RETURN(const Saga* const after, folds_.After(event));
  step.after = Glance(*after, sequence, moment);
  return step;
}

Result<bool> ReplayCursor::Forward(const Wanted& wanted) {
  Sequence found;
  const Sequence from = std::max(first_, at_.Next());
  if (from > last_) {
    return false;
  }
  RETURN_IF_ERROR(NoteThrough(Sequence(from.value() - 1)));
  RETURN_IF_ERROR(UnlessEnough(
      log_.Scan(from, last_, [&](const events::Event& event, std::string_view) -> Status {
        Note(event);
        if (wanted && !wanted(event)) {
          return {};
        }
        ASSIGN_OR_RETURN(const bool matches, Matches(event));
        if (matches) {
          found = Sequence(event.sequence());
          return Enough();
        }
        return {};
      })));
  at_ = found.IsNone() ? at_ : found;
  return !found.IsNone();
}

Result<Sequence> ReplayCursor::LastIn(Sequence from, Sequence through, const Wanted& wanted) {
  Sequence found;
  RETURN_IF_ERROR(
      log_.Scan(from, through, [&](const events::Event& event, std::string_view) -> Status {
        if (wanted && !wanted(event)) {
          return {};
        }
        ASSIGN_OR_RETURN(const bool matches, Matches(event));
        found = matches ? Sequence(event.sequence()) : found;
        return {};
      }));
  return found;
}

Result<bool> ReplayCursor::Backward(const Wanted& wanted) {
  std::uint64_t events = kPieceEventsMin;
  Sequence end(at_.IsNone() ? 0 : at_.value() - 1);
  while (end >= first_ && !end.IsNone()) {
    const std::uint64_t span = std::min(events, end.value() - first_.value() + 1);
    const Sequence from(end.value() - span + 1);
    ASSIGN_OR_RETURN(const Sequence found, LastIn(from, end, wanted));
    if (!found.IsNone()) {
      at_ = found;
      return true;
    }
    end = Sequence(from.value() - 1);
    events = std::min(events * 4, kPieceEventsMax);
  }
  return false;
}

Status ReplayCursor::GoTo(Sequence sequence) {
  at_ = sequence.IsNone() ? sequence : std::clamp(sequence, first_, last_);
  return NoteThrough(at_);
}

Result<bool> ReplayCursor::IsMatch() {
  ASSIGN_OR_RETURN(const StoredEvent event, log_.Read(at_));
  return Matches(*event);
}

Status ReplayCursor::Look(const Visitor& visitor) {
  RETURN_IF_ERROR(NoteThrough(at_));
  ASSIGN_OR_RETURN(const StoredEvent event, log_.Read(at_));
  ASSIGN_OR_RETURN(const ReplayStep step, StepOf(*event));
  return visitor(step);
}

Status ReplayCursor::Play(const Visitor& visitor) {
  const Sequence from = std::max(first_, at_.Next());
  if (from > last_) {
    return {};
  }
  RETURN_IF_ERROR(NoteThrough(Sequence(from.value() - 1)));
  return log_.Scan(from, last_, [&](const events::Event& event, std::string_view) -> Status {
    Note(event);
    ASSIGN_OR_RETURN(const bool matches, Matches(event));
    if (!matches) {
      return {};
    }
    at_ = Sequence(event.sequence());
    ASSIGN_OR_RETURN(const ReplayStep step, StepOf(event));
    return visitor(step);
  });
}

}  // namespace sagalog::tools
