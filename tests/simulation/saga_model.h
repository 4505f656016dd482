// A second, much smaller idea of what a saga is: for random histories to be compared with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace sagalog::simulation {

// One saga under the built-in policy, without sections, dependencies or limits of queues. Each
// method says what the store must answer, and then is in the state the store must be in. Instants
// are seconds. Written from docs/guarantees.md and not from the rules.
class SagaModel {
 public:
  std::string Plan();
  std::string Dispatch(const std::string& owner, std::int64_t now);
  std::string AbortDispatch(std::uint64_t token);
  std::string Acquire(const std::string& owner, std::int64_t now);
  std::string Heartbeat(std::uint64_t token, std::int64_t now);
  std::string Release(std::uint64_t token, std::int64_t now);
  std::string Advance(std::uint64_t token, const std::string& expected, const std::string& next,
                      std::int64_t now);
  std::string Complete(std::uint64_t token, std::int64_t now);
  std::string Fail(std::uint64_t token, std::int64_t now);
  std::string Cancel();
  std::string Park();
  std::string Unpark();
  std::string Requeue(std::uint64_t observed, std::int64_t now);

  // The store came back after being away.
  void StoreReturned(std::int64_t now);
  // The token that the last successful Dispatch or Acquire was answered with.
  void Granted(std::uint64_t token) { token_ = token; }

  [[nodiscard]] std::string state() const { return exists_ ? state_ : "none"; }
  [[nodiscard]] const std::string& stage() const { return stage_; }
  [[nodiscard]] std::uint64_t version() const { return version_; }
  [[nodiscard]] std::uint64_t recoveries() const { return recoveries_; }
  [[nodiscard]] std::string Stale(std::int64_t now) const;

 private:
  [[nodiscard]] bool IsHeld() const { return state_ == "dispatched" || state_ == "running"; }
  [[nodiscard]] bool IsTerminal() const {
    return state_ == "completed" || state_ == "failed" || state_ == "cancelled";
  }
  [[nodiscard]] bool InGrace(std::int64_t now) const {
    return state_ == "running" && now >= expires_ && grace_end_ && now < *grace_end_;
  }
  // The general refusals; empty = none.
  [[nodiscard]] std::string Missing() const;
  [[nodiscard]] std::string Unproven(std::uint64_t token, std::int64_t now) const;
  void Grant(const std::string& owner, std::int64_t now, std::int64_t ttl);
  std::string Move(const std::string& state, std::uint64_t events = 1);

  bool exists_ = false;
  std::string state_;
  std::string stage_;
  std::string owner_;
  std::uint64_t token_ = 0;
  std::uint64_t version_ = 0;
  std::uint64_t recoveries_ = 0;
  std::uint64_t dispatch_failures_ = 0;
  std::int64_t expires_ = 0;
  std::optional<std::int64_t> grace_end_;
  bool parked_ = false;
  // The token of the dispatch that the present worker came from.
  std::uint64_t dispatch_token_ = 0;
};

}  // namespace sagalog::simulation
