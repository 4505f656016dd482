#include "reactor/turn_budget.h"

#include <algorithm>

#include "reactor/connection_limits.h"

namespace sagalog {
namespace {

// The newest turn's part of the mean.
constexpr int kMeanOver = 8;

}  // namespace

TurnBudget::Time TurnBudget::Begin(Time now, std::uint64_t requests) {
  if (requests != requests_) {
    requests_ = requests;
    busy_until_ = now + kBusyAfterRequest;
  }
  rest_ = now < busy_until_ ? kRestBesideRequests : kRestAlone;
  // What was not used is kept for a short while only.
  next_ = std::max(next_, now - kTurnSavings) + mean_ * (1 + rest_);
  return mean_;
}

void TurnBudget::Took(Time taken, Time counted) {
  // What a turn costs beside what is measured of it.
  taken += kTurnOverhead;
  mean_ += (taken - mean_) / kMeanOver;
  next_ += (taken - counted) * (1 + rest_);
}

}  // namespace sagalog
