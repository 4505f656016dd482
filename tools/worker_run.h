// One worker from the acquisition of its saga to the saga's end.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/store_time.h"
#include "tools/boot_timer.h"
#include "tools/child_process.h"
#include "tools/connection.h"
#include "tools/held_lease.h"
#include "tools/lease_heartbeats.h"
#include "tools/signal_inbox.h"

namespace sagalog::tools {

// Besides the command's own exit codes; the first three are those of timeout(1) and env(1).
inline constexpr int kExitLeaseLost = 124;
inline constexpr int kExitOwnFailure = 125;
inline constexpr int kExitNotRunnable = 126;
inline constexpr int kExitNoSuchCommand = 127;

struct WorkerOptions {
  std::string saga_id;
  std::string owner;
  std::optional<Duration> ttl;  // unset = as the policy says
  std::optional<std::uint64_t> dispatch_token;
  // From the TERM to the KILL of a command that has to stop.
  Duration kill_after = std::chrono::seconds(10);
  // For a failure of a saga that registered nothing to undo.
  std::string no_compensation_reason;
  std::vector<std::string> command;
  std::string data;  // handed on as SAGALOG_DATA
};

// Runs the command under a lease. Uses the main thread, on which it must be made and run, and one
// more for heartbeats.
class WorkerRun {
 public:
  // `connection` and `inbox` are borrowed.
  WorkerRun(Connection& connection, SignalInbox& inbox, WorkerOptions options);

  // The exit code of `sagalog run`; what has to be said is on standard error.
  [[nodiscard]] int Run();

 private:
  [[nodiscard]] bool Acquire();
  [[nodiscard]] Result<ChildProcess> StartCommand() const;
  // The end of the command, which is stopped when the lease ends first.
  [[nodiscard]] ProcessEnd Watch(ChildProcess& child);
  // When something has to be done without any news.
  void ArmTimer();
  void PassSignalsOn(const ChildProcess& child);
  void StopIfLost(const ChildProcess& child);
  void KillIfDue(const ChildProcess& child);
  [[nodiscard]] int Conclude(const ProcessEnd& end);
  [[nodiscard]] int ConcludeUnstarted(const Status& failure);
  void RecordExit(int exit_code);
  [[nodiscard]] int Complete();
  // `otherwise` when the failure is recorded.
  [[nodiscard]] int Fail(const std::string& reason, int otherwise);
  // What became of a last command that was not accepted.
  [[nodiscard]] int NotAccepted(const Result<StoreAnswer>& answer, std::string_view command,
                                int given_up_exit_code);
  // A command that counts once however often it has to be sent, tried until `deadline`.
  [[nodiscard]] Result<StoreAnswer> AskUntil(Duration deadline, std::string_view command,
                                             boost::json::object arguments);

  Connection& connection_;
  SignalInbox& inbox_;
  const WorkerOptions options_;
  HeldLease lease_;
  std::unique_ptr<LeaseHeartbeats> heartbeats_;
  BootTimer timer_;
  bool told_of_cancel_ = false;
  // Set when the command was told to stop: when it is killed.
  std::optional<Duration> kill_at_;
  bool killed_ = false;
};

}  // namespace sagalog::tools
