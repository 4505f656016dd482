// The audit tree of a running store: kept behind its log by a thread, asked for checkpoints and
// proofs by any.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "eventlog/event_log.h"
#include "projections/audit_tree.h"
#include "reactor/audit_keys.h"
#include "reactor/audit_proof.h"
#include "schema/id.h"
#include "schema/status.h"

namespace sagalog {

// Thread-safe; gone only when nobody asks it any more. No command waits for it: it reads what is
// durable, and the sequencer does not know of it.
class AuditTrail {
 public:
  // `log` is that of the data directory; borrowed, and outlives this.
  [[nodiscard]] static Result<std::unique_ptr<AuditTrail>> Open(
      const EventLog& log, const std::filesystem::path& data_directory);
  // The one that is kept of this log in this process; null when there is none.
  [[nodiscard]] static AuditTrail* Of(const EventLog& log);
  ~AuditTrail();
  AuditTrail(const AuditTrail&) = delete;
  AuditTrail& operator=(const AuditTrail&) = delete;

  // How many events are hashed, and how many wait for it.
  [[nodiscard]] std::uint64_t size() const { return size_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t Lag() const;
  // A signed checkpoint of all that is durable now. The errors of AuditKeys::Sign.
  [[nodiscard]] Result<std::string> TakeCheckpoint();
  [[nodiscard]] Result<EventProof> Prove(Sequence sequence);
  [[nodiscard]] Result<GrowthProof> ProveFrom(std::uint64_t size);

 private:
  AuditTrail(const EventLog& log, const std::filesystem::path& data_directory);

  // Ends the thread.
  void Stop();
  void Loop();
  // The next events, with the mutex held; what is wrong with the tree itself is mended.
  Status Advance(std::uint64_t events_max);
  // Calls `work` with the tree when it has caught up.
  template <typename T>
  [[nodiscard]] Result<T> WithTree(const std::function<Result<T>(const AuditTree& tree)>& work);

  const EventLog& log_;
  const std::filesystem::path directory_;
  const AuditKeys keys_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::unique_ptr<AuditTree> tree_;  // guarded by mutex_
  bool stopping_ = false;            // guarded by mutex_
  std::atomic<std::uint64_t> size_{0};
  std::atomic<int> waiting_{0};  // those who want the mutex
  std::thread thread_;
};

}  // namespace sagalog
