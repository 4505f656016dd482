// The answer to a request that was answered before, from the log.
#pragma once

#include "eventlog/event_log.h"
#include "projections/saga.h"
#include "reactor/decide.h"
#include "schema/answers_generated.h"

namespace sagalog {

// What the original answer said, and the saga as it was then.
struct ReplayedAnswer {
  answers::Outcome outcome = answers::Outcome::ok;
  // The last event of the append.
  Sequence sequence;
  StoreTime time;
  Token token;
  bool cancel_pending = false;
  // Of report_owners, whose answer shows no saga.
  std::vector<HolderReport> reports;
  // The fold of its own history up to there: children and what became of dependencies, which
  // other sagas' events tell, are not in it.
  Saga saga;
};

// `first`: the event that carries the request id. The events of its append follow it in the log;
// they carry the request's content without its id. kCorruption when one cannot be read.
[[nodiscard]] Result<ReplayedAnswer> ReplayAnswer(const EventLog& log, Sequence first);

// The saga folded from its own history up to its event `newest`.
[[nodiscard]] Result<Saga> FoldHistory(const EventLog& log, Sequence newest);

}  // namespace sagalog
