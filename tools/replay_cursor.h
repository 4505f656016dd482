// A place in a log that moves forwards and backwards, and what is to be seen there.
#pragma once

#include <functional>
#include <string_view>
#include <unordered_map>

#include "eventlog/event_log.h"
#include "reactor/past_facts.h"
#include "reactor/saga_folds.h"
#include "schema/status.h"
#include "tools/event_filter.h"
#include "tools/saga_glance.h"

namespace sagalog::tools {

// One event, and its saga on both sides of it, at the event's time: what was said just before it
// happened, and once it had. For an event of the store itself neither is planned.
struct ReplayStep {
  const events::Event& event;
  SagaGlance before;
  SagaGlance after;
};

// Stands on an event, or in front of the first one. Reads the log and nothing else. Going on reads
// what is passed; going back, what is passed and the history of one saga. One thread.
class ReplayCursor {
 public:
  // Whether an event is one to stop at, beside the filter.
  using Wanted = std::function<bool(const events::Event& event)>;
  using Visitor = std::function<Status(const ReplayStep& step)>;

  // Between `first` and `last`, both with it. The log is borrowed.
  ReplayCursor(const EventLog& log, Sequence first, Sequence last, EventFilter filter);

  // None = in front of the first one.
  [[nodiscard]] Sequence at() const { return at_; }
  [[nodiscard]] Sequence first() const { return first_; }
  [[nodiscard]] Sequence last() const { return last_; }
  void SetFilter(EventFilter filter) { filter_ = std::move(filter); }

  // To the next, or the previous, event that matches the filter and is wanted; null = any. False,
  // and nothing moves, when there is none.
  Result<bool> Forward(const Wanted& wanted = nullptr);
  Result<bool> Backward(const Wanted& wanted = nullptr);
  // To this very event, whether it matches or not: IsMatch says.
  Status GoTo(Sequence sequence);
  [[nodiscard]] Result<bool> IsMatch();

  // What is to be seen here. Not in front of the first event.
  Status Look(const Visitor& visitor);
  [[nodiscard]] Result<StoredEvent> Read() const { return log_.Read(at_); }

  // All that match from here on, to the end; an error of the visitor ends it and is returned. One
  // pass over the log.
  Status Play(const Visitor& visitor);

 private:
  // What shows of others has to be known through `sequence`.
  Status NoteThrough(Sequence sequence);
  void Note(const events::Event& event);
  Result<bool> Matches(const events::Event& event);
  Result<const EventSubject::Labels*> LabelsOf(const Saga& saga);
  Result<ReplayStep> StepOf(const events::Event& event);
  [[nodiscard]] SagaGlance Glance(const Saga& saga, Sequence through, StoreTime moment) const;
  // The last that is wanted in [from, through]; none = there is none.
  Result<Sequence> LastIn(Sequence from, Sequence through, const Wanted& wanted);

  const EventLog& log_;
  const Sequence first_;
  const Sequence last_;
  EventFilter filter_;
  Sequence at_;
  PastFacts facts_;
  SagaFolds folds_;
  // The saga that was last asked about by the filter, in front of the event.
  Saga before_;
  // Events that planned a saga, for their labels.
  std::unordered_map<std::uint64_t, StoredEvent> planned_;
};

}  // namespace sagalog::tools
