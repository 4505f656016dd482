// What is needed to take events back that were folded on trial.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "projections/projections.h"

namespace sagalog {

// What was true before: of the store as a whole, and of each saga that has changed since. Costs
// what the trial touches, and nothing when there is none.
struct Trial {
  // A saga as it was before its first change.
  struct Before {
    Saga* saga = nullptr;
    // None = it was planned on trial.
    std::optional<Saga> image;
    // Which ended generation of its key was the newest.
    Saga* newest_of_key = nullptr;
  };

  Sequence applied;
  StoreFacts facts;
  Statistics statistics;
  // In the order of their first change.
  std::vector<Before> sagas;
  std::unordered_set<const Saga*> touched;
  std::unordered_set<const Saga*> planned;
  // Of queues that were configured on trial; none = it had no configuration.
  std::map<std::string, std::optional<QueueConfiguration>, std::less<>> queues;
  bool policy_changed = false;
};

}  // namespace sagalog
