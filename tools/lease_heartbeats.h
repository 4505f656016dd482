// Keeps a lease alive beside the work that is done under it.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "schema/store_time.h"
#include "tools/connection.h"
#include "tools/held_lease.h"

namespace sagalog::tools {

// Sends a heartbeat each third of the lease from a thread of its own, and more often while the
// store does not answer. Gives up when the lease would be over by its own reckoning: it may then be
// somebody else's. Thread-safe.
class LeaseHeartbeats {
 public:
  // `connection` is used by nobody else until Stop() returns.
  LeaseHeartbeats(Connection& connection, HeldLease lease);
  ~LeaseHeartbeats();

  // Readable when there is news: an end, or a cancel that waits for the section to be left.
  [[nodiscard]] int descriptor() const { return news_; }
  // Makes the descriptor wait for the next news.
  void Acknowledge();

  // The end of the lease as the store told it.
  [[nodiscard]] std::optional<LeaseEnd> End() const;
  // Somebody wants the saga cancelled, which waits for its section to be left.
  [[nodiscard]] bool CancelPending() const;
  // By the boot clock, when the lease is over unless another heartbeat succeeds.
  [[nodiscard]] Duration HeldUntil() const;
  // Why the store did not take the last heartbeat; empty when it did.
  [[nodiscard]] std::string Trouble() const;

  // Sends no more, and waits for what is under way. Idempotent.
  void Stop();

 private:
  void Beat();
  // The moment of the next one; none when the lease is no more.
  std::optional<Duration> BeatOnce();
  void Tell();

  Connection& connection_;
  const HeldLease lease_;
  int news_ = -1;
  int stop_ = -1;

  mutable std::mutex mutex_;  // of what follows
  Duration held_until_;
  std::optional<LeaseEnd> end_;
  bool cancel_pending_ = false;
  std::string trouble_;

  std::thread thread_;
};

}  // namespace sagalog::tools
