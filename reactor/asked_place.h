// The place in the log that a caller of the interface means by `at`.
#pragma once

#include "reactor/past_place.h"

namespace sagalog {

// FindPlace for who was asked with a parameter `at`, which the error then names.
[[nodiscard]] inline Result<PastPlace> FindAskedPlace(const EventLog& log, Sequence last,
                                                      const PastMoment& at, StoreTime now) {
  Result<PastPlace> place = FindPlace(log, last, at, now);
  if (place.status().code() == Code::kInvalidArgument) {
    return Status(Code::kInvalidArgument, "at: " + place.status().text());
  }
  return place;
}

}  // namespace sagalog
