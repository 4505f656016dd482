// How a saga stands at the end of its story: the sentence at the top, and what is left to do.
#pragma once

#include <string>
#include <vector>

#include "projections/staleness.h"
#include "tools/story.h"
#include "tools/story_words.h"

namespace sagalog::tools {

// One ownership: from its token to whatever ended it.
struct Tenure {
  InternedText owner;
  std::uint64_t token = 0;
  StoreTime from;
  StoreTime until;
  StoreTime expires_at;
  // "revoked by sweeper"; empty = it goes on.
  std::string ended;
};

struct StoryTotals {
  std::vector<Tenure> tenures;
  std::uint64_t refusals = 0;
  // Of those, from owners that had lost the saga.
  std::uint64_t late_refusals = 0;
  std::uint64_t refusals_counted = 0;
  std::uint64_t absences = 0;
  Duration away{};
  // What compensations are, as it was said when they were registered: by id.
  std::map<std::string, std::string, std::less<>> kinds;
  // To name them: by id.
  std::map<std::string, std::string, std::less<>> compensations;
};

// Fills headline, in_short, owed and next.
void TellStanding(Story& story, const Saga& saga, const StalenessContext& context,
                  const StoryTotals& totals, const OwnerNames& names);

}  // namespace sagalog::tools
