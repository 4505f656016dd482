#include "tools/lease_heartbeats.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "schema/check.h"
#include "tools/boot_timer.h"
#include "tools/json_fields.h"

namespace sagalog::tools {
namespace {

// Two heartbeats may fail before the lease is over.
constexpr int kHeartbeatsPerLease = 3;
// How often it is tried again while the store does not answer.
constexpr int kRetriesPerLease = 20;
constexpr Duration kRetryDelayMin = std::chrono::milliseconds(20);

// What is in an eventfd is only whether it is readable.
void Raise(int descriptor) {
  const std::uint64_t one = 1;
  static_cast<void>(!write(descriptor, &one, sizeof one));
}

}  // namespace

LeaseHeartbeats::LeaseHeartbeats(Connection& connection, HeldLease lease)
    : connection_(connection),
      lease_(std::move(lease)),
      news_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      held_until_(lease_.held_until) {
  CHECK(news_ >= 0);
  CHECK(stop_ >= 0);
  thread_ = std::thread([this] { Beat(); });
}

LeaseHeartbeats::~LeaseHeartbeats() {
  Stop();
  close(news_);
  close(stop_);
}

void LeaseHeartbeats::Acknowledge() {
  std::uint64_t count = 0;
  static_cast<void>(!read(news_, &count, sizeof count));
}

std::optional<LeaseEnd> LeaseHeartbeats::End() const {
  const std::lock_guard lock(mutex_);
  return end_;
}

bool LeaseHeartbeats::CancelPending() const {
  const std::lock_guard lock(mutex_);
  return cancel_pending_;
}

Duration LeaseHeartbeats::HeldUntil() const {
  const std::lock_guard lock(mutex_);
  return held_until_;
}

std::string LeaseHeartbeats::Trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

void LeaseHeartbeats::Stop() {
  if (thread_.joinable()) {
    Raise(stop_);
    thread_.join();
  }
}

void LeaseHeartbeats::Tell() { Raise(news_); }

void LeaseHeartbeats::Beat() {
  BootTimer timer;
  std::array<pollfd, 2> wakers{pollfd{stop_, POLLIN, 0}, pollfd{timer.descriptor(), POLLIN, 0}};
  std::optional<Duration> due = lease_.held_until - lease_.ttl + lease_.ttl / kHeartbeatsPerLease;
  while (due) {
    timer.Set(*due);
    poll(wakers.data(), wakers.size(), -1);
    if (wakers[0].revents != 0) {
      return;
    }
    if (BootNow() >= *due) {
      due = BeatOnce();
    }
  }
}

std::optional<Duration> LeaseHeartbeats::BeatOnce() {
  const Duration sent = BootNow();
  if (sent >= HeldUntil()) {
    return std::nullopt;
  }
  const auto answer = AskSaga(connection_, lease_.saga_id, "heartbeat", lease_.Arguments());
  if (answer.ok() && answer->ok()) {
    const bool cancel_pending = FlagIn(answer->body, "cancel_pending") ||
                                FlagIn(ObjectIn(answer->body, "saga"), "cancel_pending");
    const std::lock_guard lock(mutex_);
    held_until_ = sent + lease_.ttl;
    trouble_.clear();
    if (cancel_pending && !std::exchange(cancel_pending_, true)) {
      Tell();
    }
    return sent + lease_.ttl / kHeartbeatsPerLease;
  }
  if (answer.ok() && EndsLease(answer->code())) {
    LeaseEnd end = HowLeaseEnded(connection_, lease_, *answer);
    const std::lock_guard lock(mutex_);
    end_ = std::move(end);
    Tell();
    return std::nullopt;
  }
  const std::lock_guard lock(mutex_);
  trouble_ = answer.ok() ? answer->Line() : answer.status().text();
  return BootNow() + std::max(lease_.ttl / kRetriesPerLease, kRetryDelayMin);
}

}  // namespace sagalog::tools
