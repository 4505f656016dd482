#include "tools/worker_run.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "tools/json_fields.h"
#include "tools/owner_identity.h"
#include "tools/server_url.h"
#include "tools/standard_streams.h"
#include "tools/terminal.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

// How long an acquisition is tried again while the store cannot answer.
constexpr Duration kAcquirePatience = std::chrono::seconds(5);
// The least time in which the end of a command is tried to be recorded.
constexpr Duration kRecordPatience = std::chrono::seconds(2);
constexpr int kRetryDelayMillis = 100;
// How often the rest of a stopped group is looked for after its leader ended.
constexpr int kGroupPollMillis = 20;

void Say(std::string_view text) { WriteError(fmt::format("sagalog run: {}\n", Printable(text))); }

// Whether another try may help.
bool IsTransient(const Result<StoreAnswer>& answer) {
  return !answer.ok() || answer->code() == "overloaded";
}

// The length of a lease just granted; none when the answer does not tell.
std::optional<Duration> GrantedTtl(const json::object& saga) {
  const auto from = ParseTime(TextIn(saga, "heartbeat_at"));
  const auto to = ParseTime(TextIn(saga, "expires_at"));
  if (!from.ok() || !to.ok() || *to <= *from) {
    return std::nullopt;
  }
  return *to - *from;
}

}  // namespace

WorkerRun::WorkerRun(Connection& connection, SignalInbox& inbox, WorkerOptions options)
    : connection_(connection), inbox_(inbox), options_(std::move(options)) {}

int WorkerRun::Run() {
  if (!Acquire()) {
    return kExitOwnFailure;
  }
  auto child = StartCommand();
  if (!child.ok()) {
    return ConcludeUnstarted(child.status());
  }
  heartbeats_ = std::make_unique<LeaseHeartbeats>(connection_, lease_);
  const ProcessEnd end = Watch(*child);
  heartbeats_->Stop();
  return Conclude(end);
}

bool WorkerRun::Acquire() {
  auto owner = ThisIncarnation(options_.owner);
  if (!owner.ok()) {
    Say(owner.status().text());
    return false;
  }
  lease_.saga_id = options_.saga_id;
  lease_.owner = *std::move(owner);
  json::object arguments{{"owner", lease_.owner}};
  if (options_.ttl) {
    arguments["ttl"] = FormatDuration(*options_.ttl);
  }
  if (options_.dispatch_token) {
    arguments["dispatch_token"] = *options_.dispatch_token;
  }
  const Duration sent = BootNow();
  const auto answer = AskUntil(sent + kAcquirePatience, "acquire", std::move(arguments));
  if (!answer.ok()) {
    Say(answer.status().text());
    return false;
  }
  if (!answer->ok()) {
    Say(fmt::format("acquiring {} was refused: {}", options_.saga_id, answer->Line()));
    return false;
  }
  const auto token = NumberIn(answer->body, "token");
  const auto ttl = options_.ttl ? options_.ttl : GrantedTtl(ObjectIn(answer->body, "saga"));
  if (!token || !ttl) {
    Say("the store answered acquire without a token or an expiry");
    return false;
  }
  lease_.token = static_cast<std::uint64_t>(*token);
  lease_.ttl = *ttl;
  lease_.held_until = sent + *ttl;
  return true;
}

Result<ChildProcess> WorkerRun::StartCommand() const {
  const bool remote = IsServerUrl(options_.data);
  CommandLine command;
  command.arguments = options_.command;
  // The other one is empty: what this process was given must not win over what it was told.
  command.environment = {{"SAGALOG_SAGA", options_.saga_id},
                         {"SAGALOG_TOKEN", std::to_string(lease_.token)},
                         {"SAGALOG_DATA", remote ? "" : options_.data},
                         {kUrlVariable, remote ? options_.data : ""}};
  return ChildProcess::Start(command);
}

ProcessEnd WorkerRun::Watch(ChildProcess& child) {
  std::array<pollfd, 3> sources{pollfd{inbox_.descriptor(), POLLIN, 0},
                                pollfd{heartbeats_->descriptor(), POLLIN, 0},
                                pollfd{timer_.descriptor(), POLLIN, 0}};
  for (;;) {
    PassSignalsOn(child);
    heartbeats_->Acknowledge();
    const auto end = child.Poll();
    const bool group_must_go = kill_at_ && !killed_ && child.GroupIsAlive();
    if (end && !group_must_go) {
      return *end;
    }
    if (kill_at_) {
      KillIfDue(child);
    } else {
      StopIfLost(child);
    }
    ArmTimer();
    poll(sources.data(), sources.size(), end ? kGroupPollMillis : -1);
  }
}

void WorkerRun::ArmTimer() {
  const auto end = heartbeats_->End();
  if (killed_ || (!kill_at_ && end && end->given_up)) {
    timer_.Clear();
  } else {
    timer_.Set(kill_at_ ? *kill_at_ : heartbeats_->HeldUntil());
  }
}

void WorkerRun::PassSignalsOn(const ChildProcess& child) {
  while (const auto signal = inbox_.Next()) {
    if (*signal != SIGCHLD) {
      child.Signal(*signal);
    }
  }
}

void WorkerRun::StopIfLost(const ChildProcess& child) {
  if (heartbeats_->CancelPending() && !std::exchange(told_of_cancel_, true)) {
    Say(
        fmt::format("{} is to be cancelled once its section is left; the command goes on until "
                    "then",
                    options_.saga_id));
  }
  const auto end = heartbeats_->End();
  if (end && end->given_up) {
    return;
  }
  std::string why;
  if (end) {
    why = end->why;
  } else if (BootNow() >= heartbeats_->HeldUntil()) {
    const std::string trouble = heartbeats_->Trouble();
    why = fmt::format("the store took no heartbeat for {}, which is the whole lease{}{}",
                      FormatDuration(lease_.ttl), trouble.empty() ? "" : "; last: ", trouble);
  } else {
    return;
  }
  Say(fmt::format("the lease on {} (token {}) is lost: {}; stopping the command", options_.saga_id,
                  lease_.token, why));
  child.Signal(SIGTERM);
  // One that is stopped could not end.
  child.Signal(SIGCONT);
  kill_at_ = BootNow() + options_.kill_after;
}

void WorkerRun::KillIfDue(const ChildProcess& child) {
  if (!killed_ && BootNow() >= *kill_at_) {
    Say(fmt::format("the command did not end within {}: killing it",
                    FormatDuration(options_.kill_after)));
    child.Signal(SIGKILL);
    killed_ = true;
  }
}

int WorkerRun::Conclude(const ProcessEnd& end) {
  RecordExit(end.ExitCode());
  if (kill_at_) {
    return kExitLeaseLost;
  }
  if (const auto lease_end = heartbeats_->End()) {
    if (lease_end->given_up) {
      return end.ExitCode();
    }
    Say(fmt::format("the lease on {} (token {}) is lost: {}", options_.saga_id, lease_.token,
                    lease_end->why));
    return kExitLeaseLost;
  }
  if (end.ExitCode() == 0) {
    return Complete();
  }
  return Fail(fmt::format("the command {}", end.Text()), end.ExitCode());
}

// The saga fails, as it does when a shell cannot start what it was given: releasing it would have
// the next worker try the same for ever.
int WorkerRun::ConcludeUnstarted(const Status& failure) {
  Say(failure.text());
  const int exit_code = failure.code() == Code::kNotFound ? kExitNoSuchCommand : kExitNotRunnable;
  RecordExit(exit_code);
  return Fail(failure.text(), exit_code);
}

void WorkerRun::RecordExit(int exit_code) {
  json::object arguments = lease_.Arguments();
  arguments["exit_code"] = exit_code;
  // Evidence only, which the owner of a lease that is over may still give. Whether the store can be
  // reached and knows the token is what the next command finds out.
  static_cast<void>(AskUntil(BootNow(), "record-exit", std::move(arguments)));
}

int WorkerRun::Complete() {
  const auto answer =
      AskUntil(BootNow() + std::max(lease_.ttl, kRecordPatience), "complete", lease_.Arguments());
  return answer.ok() && answer->ok() ? 0 : NotAccepted(answer, "complete", 0);
}

int WorkerRun::Fail(const std::string& reason, int otherwise) {
  const Duration deadline = BootNow() + std::max(lease_.ttl, kRecordPatience);
  json::object arguments = lease_.Arguments();
  arguments["reason"] = reason;
  auto answer = AskUntil(deadline, "fail", arguments);
  if (answer.ok() && answer->code() == "compensation_missing") {
    arguments["no_compensation_reason"] = options_.no_compensation_reason;
    answer = AskUntil(deadline, "fail", std::move(arguments));
  }
  if (answer.ok() && answer->ok()) {
    Say(fmt::format("{} failed: {}", options_.saga_id, reason));
    return otherwise;
  }
  return NotAccepted(answer, "fail", otherwise);
}

int WorkerRun::NotAccepted(const Result<StoreAnswer>& answer, std::string_view command,
                           int given_up_exit_code) {
  if (answer.ok() && EndsLease(answer->code())) {
    const LeaseEnd end = HowLeaseEnded(connection_, lease_, *answer);
    if (end.given_up) {
      return given_up_exit_code;
    }
    Say(fmt::format("the command ended, but the lease on {} (token {}) is lost: {}",
                    options_.saga_id, lease_.token, end.why));
    return kExitLeaseLost;
  }
  Say(fmt::format("the command ended, but {} of {} was not accepted: {}", command, options_.saga_id,
                  answer.ok() ? answer->Line() : answer.status().text()));
  return kExitOwnFailure;
}

Result<StoreAnswer> WorkerRun::AskUntil(Duration deadline, std::string_view command,
                                        json::object arguments) {
  arguments["request_id"] = FreshRequestId();
  for (;;) {
    auto answer = AskSaga(connection_, options_.saga_id, command, arguments);
    if (!IsTransient(answer) || BootNow() >= deadline) {
      return answer;
    }
    poll(nullptr, 0, kRetryDelayMillis);
  }
}

}  // namespace sagalog::tools
