// What the stale index says of a saga when time passes, in a sentence.
#pragma once

#include <optional>
#include <string>

#include "projections/staleness.h"
#include "tools/story_events.h"

namespace sagalog::tools {

// A reason that begins to hold at `at`.
[[nodiscard]] Sentence IndexSentence(const Saga& saga, const StalenessContext& context,
                                     schema::StaleReason reason, StoreTime at,
                                     const OwnerNames& names);

// A claim of a compensation is over, and nobody said how it went.
[[nodiscard]] Sentence ClaimOverSentence(const CompensationRecord& record);

// The lease of a saga ended and nothing is wrong yet: its process has exited, its finaliser has
// time.
[[nodiscard]] Sentence FinalisingSentence(const Saga& saga, const StalenessContext& context,
                                          const OwnerNames& names);

// A refused command, at its moment.
[[nodiscard]] Sentence RefusalSentence(const events::NotedRefusalT& refusal, const Saga& saga,
                                       const OwnerNames& names, std::uint64_t times,
                                       StoreTime last);

}  // namespace sagalog::tools
