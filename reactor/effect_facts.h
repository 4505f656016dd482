// What a refusal about an effect tells beside what is kept in memory: it stands in the log.
#pragma once

#include "eventlog/event_log.h"
#include "schema/answers_generated.h"

namespace sagalog {

// Of effect_begun: who began it and when. Of effect_settled: when it was settled, its outcome and
// its result. Nothing of other refusals, nor where the log cannot be read any more.
void TellOfEffect(const EventLog& log, answers::RefusalT& refusal);

}  // namespace sagalog
