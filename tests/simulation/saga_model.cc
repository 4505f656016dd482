#include "tests/simulation/saga_model.h"

namespace sagalog::simulation {
namespace {

constexpr std::int64_t kTtl = 60;
constexpr std::int64_t kReopenGrace = 30;
constexpr std::uint64_t kRecoveriesMax = 3;
constexpr std::uint64_t kDispatchFailuresMax = 3;

}  // namespace

std::string SagaModel::Missing() const {
  if (!exists_) {
    return "not_found";
  }
  return IsTerminal() ? "terminal" : "";
}

std::string SagaModel::Unproven(std::uint64_t token, std::int64_t now) const {
  if (const std::string missing = Missing(); !missing.empty()) {
    return missing;
  }
  if (!IsHeld() || token != token_) {
    return "stale_token";
  }
  return now >= expires_ ? "lease_expired" : "";
}

void SagaModel::Grant(const std::string& owner, std::int64_t now, std::int64_t ttl) {
  owner_ = owner;
  expires_ = now + ttl;
  grace_end_.reset();
}

std::string SagaModel::Move(const std::string& state, std::uint64_t events) {
  state_ = state;
  version_ += events;
  return "ok";
}

std::string SagaModel::Plan() {
  if (exists_) {
    return "already_exists";
  }
  exists_ = true;
  return Move("planned");
}

std::string SagaModel::Dispatch(const std::string& owner, std::int64_t now) {
  if (const std::string missing = Missing(); !missing.empty()) {
    return missing;
  }
  if (IsHeld()) {
    return "lease_held";
  }
  if (parked_) {
    return "parked";
  }
  if (dispatch_failures_ >= kDispatchFailuresMax) {
    return "limit_reached";
  }
  Grant(owner, now, kTtl);
  return Move("dispatched");
}

std::string SagaModel::AbortDispatch(std::uint64_t token) {
  if (const std::string missing = Missing(); !missing.empty()) {
    return missing;
  }
  if (state_ == "running" && dispatch_token_ != 0 && token == dispatch_token_) {
    return "lease_held";
  }
  if (state_ != "dispatched" || token != token_) {
    return "stale_token";
  }
  ++dispatch_failures_;
  return Move("planned");
}

std::string SagaModel::Acquire(const std::string& owner, std::int64_t now) {
  if (const std::string missing = Missing(); !missing.empty()) {
    return missing;
  }
  if (IsHeld() && now < expires_) {
    return "lease_held";
  }
  if (InGrace(now) && owner != owner_) {
    return "in_grace";
  }
  if (state_ == "planned" && parked_) {
    return "parked";
  }
  if (state_ == "running" && owner != owner_) {
    if (recoveries_ >= kRecoveriesMax) {
      return "limit_reached";
    }
    ++recoveries_;
  }
  dispatch_failures_ = 0;
  dispatch_token_ = state_ == "dispatched" ? token_ : 0;
  Grant(owner, now, kTtl);
  return Move("running");
}

std::string SagaModel::Heartbeat(std::uint64_t token, std::int64_t now) {
  if (const std::string no = Unproven(token, now); !no.empty()) {
    return no;
  }
  if (now + kTtl <= expires_) {
    return "ok:unchanged";
  }
  expires_ = now + kTtl;
  grace_end_.reset();
  return Move(state_);
}

std::string SagaModel::Release(std::uint64_t token, std::int64_t now) {
  if (const std::string no = Unproven(token, now); !no.empty()) {
    return no;
  }
  return state_ == "running" ? Move("planned") : "wrong_state";
}

std::string SagaModel::Advance(std::uint64_t token, const std::string& expected,
                               const std::string& next, std::int64_t now) {
  if (const std::string no = Unproven(token, now); !no.empty()) {
    return no;
  }
  if (expected != stage_) {
    return "stage_conflict";
  }
  if (next == stage_) {
    return "ok:unchanged";
  }
  stage_ = next;
  return Move(state_);
}

std::string SagaModel::Complete(std::uint64_t token, std::int64_t now) {
  if (const std::string no = Unproven(token, now); !no.empty()) {
    return no;
  }
  return state_ == "running" ? Move("completed") : "wrong_state";
}

std::string SagaModel::Fail(std::uint64_t token, std::int64_t now) {
  if (const std::string no = Unproven(token, now); !no.empty()) {
    return no;
  }
  return Move("failed");
}

std::string SagaModel::Cancel() {
  if (state_ == "cancelled") {
    return "ok:unchanged";
  }
  if (const std::string missing = Missing(); !missing.empty()) {
    return missing;
  }
  return Move("cancelled", 2);  // cancel_requested, terminal
}

std::string SagaModel::Park() {
  if (const std::string missing = Missing(); !missing.empty()) {
    return missing;
  }
  if (state_ != "planned") {
    return "wrong_state";
  }
  if (parked_) {
    return "ok:unchanged";
  }
  parked_ = true;
  return Move("planned");
}

std::string SagaModel::Unpark() {
  if (const std::string missing = Missing(); !missing.empty()) {
    return missing;
  }
  if (state_ != "planned") {
    return "wrong_state";
  }
  if (!parked_) {
    return "ok:unchanged";
  }
  parked_ = false;
  return Move("planned");
}

std::string SagaModel::Requeue(std::uint64_t observed, std::int64_t now) {
  if (const std::string missing = Missing(); !missing.empty()) {
    return missing;
  }
  if (observed != version_) {
    return "version_conflict";
  }
  const std::string stale = Stale(now);
  if (stale.empty()) {
    return "not_stale";
  }
  if (stale == "in_grace") {
    return "in_grace";
  }
  if (state_ == "planned") {
    return "wrong_state";  // dispatch_exhausted
  }
  if (state_ == "running") {
    if (recoveries_ >= kRecoveriesMax) {
      return "limit_reached";
    }
    ++recoveries_;
  } else {
    ++dispatch_failures_;
  }
  return Move("planned");
}

void SagaModel::StoreReturned(std::int64_t now) {
  if (state_ == "running" && !grace_end_ && expires_ <= now + kReopenGrace) {
    grace_end_ = now + kReopenGrace;
  }
}

std::string SagaModel::Stale(std::int64_t now) const {
  if (state_ == "planned") {
    return dispatch_failures_ >= kDispatchFailuresMax ? "dispatch_exhausted" : "";
  }
  if (!IsHeld() || now < expires_) {
    return "";
  }
  if (InGrace(now)) {
    return "in_grace";
  }
  return state_ == "dispatched" ? "dispatch_expired" : "lease_expired";
}

}  // namespace sagalog::simulation
