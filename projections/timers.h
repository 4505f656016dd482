// Sagas that wait for their moment, and leave when it has come.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>

#include "projections/deadline_index.h"

namespace sagalog {

// A queue's slots end and its delays pass as time goes on: whoever asks first after that pays for
// each saga once. `now` never decreases, so the rest of a call costs one comparison.
//
// Wide buckets (131 ms) for what is far; the one that `now` is in is cut into narrow ones (1 ms),
// so that looking for what has just come never means looking at thousands.
class Timers {
 public:
  // `moment` must be after the last PopThrough.
  void Insert(Saga& saga, std::int64_t moment) {
    next_ = std::min(next_, moment);
    if (moment < near_end_) {
      near_.Insert(saga, moment);
    } else {
      far_.Insert(saga, moment);
    }
  }

  // The saga must be listed.
  void Erase(Saga& saga) {
    if (saga.places.timer_moment < near_end_) {
      near_.Erase(saga);
    } else {
      far_.Erase(saga);
    }
  }

  // Takes out all sagas whose moment is at or before `now` and calls `pop(saga)` for each.
  template <typename Pop>
  void PopThrough(std::int64_t now, const Pop& pop) {
    if (now < next_) {
      return;
    }
    near_end_ = std::max(near_end_, (Far::BucketOf(now) + 1) << kFarBits);
    for (auto first = far_.FirstBucket(); first && *first <= Far::BucketOf(now);
         first = far_.FirstBucket()) {
      far_.TakeFirst(
          [this](const Deadline& deadline) { near_.Insert(*deadline.saga, deadline.moment); });
    }
    next_ = near_end_;
    for (auto first = near_.FirstBucket(); first; first = near_.FirstBucket()) {
      if (*first > Near::BucketOf(now)) {
        next_ = std::min(next_, *first << kNearBits);
        return;
      }
      if (const auto stays = near_.SweepFirst(now, pop)) {
        next_ = std::min(next_, *stays);
        return;
      }
    }
  }

  // The first moment after `now`, which is not before the last PopThrough.
  [[nodiscard]] std::optional<std::int64_t> FirstAfter(std::int64_t now) const {
    const auto near = near_.FirstAfter(now);
    return near ? near : far_.FirstAfter(now);
  }

 private:
  static constexpr int kFarBits = 17;
  static constexpr int kNearBits = 10;
  using Far = DeadlineIndex<&SagaPlaces::timer_moment, &SagaPlaces::timer_place, kFarBits>;
  using Near = DeadlineIndex<&SagaPlaces::timer_moment, &SagaPlaces::timer_place, kNearBits>;

  Far far_;
  Near near_;
  // All moments before it are in near_, all others in far_.
  std::int64_t near_end_ = std::numeric_limits<std::int64_t>::min();
  // No moment is before it.
  std::int64_t next_ = std::numeric_limits<std::int64_t>::max();
};

}  // namespace sagalog
