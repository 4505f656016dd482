#include "tools/bench_load.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <coroutine>
#include <exception>
#include <mutex>

#include <fmt/format.h>

namespace sagalog::tools {
namespace {

using Timer = std::chrono::steady_clock;

// A coroutine that runs by itself and destroys itself at its end.
struct Detached {
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

// What the producers share.
class Progress {
 public:
  explicit Progress(std::uint64_t producers) : running_(producers) {}

  [[nodiscard]] std::uint64_t NextSaga() { return next_.fetch_add(1, std::memory_order_relaxed); }

  void Fail(const answers::RefusalT& refusal) {
    const std::lock_guard lock(mutex_);
    failure_ =
        fmt::format("refused: {} {}", schema::EnumNameRefusalCode(refusal.code), refusal.detail);
  }

  void ProducerEnded() {
    const std::lock_guard lock(mutex_);
    if (--running_ == 0) {
      all_ended_.notify_all();
    }
  }

  [[nodiscard]] Status Wait() {
    std::unique_lock lock(mutex_);
    all_ended_.wait(lock, [this] { return running_ == 0; });
    return failure_.empty() ? Status() : Status(Code::kIoError, failure_);
  }

 private:
  std::atomic<std::uint64_t> next_{0};
  std::mutex mutex_;
  std::condition_variable all_ended_;
  std::uint64_t running_;
  std::string failure_;
};

// A request id of its own for each step of each saga of each load.
CallOptions Requested(std::uint64_t load, std::uint64_t saga, std::uint64_t step) {
  CallOptions options;
  options.request_id = schema::RequestId(load, saga * 4 + step);
  return options;
}

Detached Produce(Store& store, const LifecycleLoad& load, Progress& progress) {
  schema::OwnerT owner;
  owner.owner = "bench-worker";
  const std::uint64_t key = std::hash<std::string>()(load.prefix);
  for (;;) {
    const std::uint64_t number = progress.NextSaga();
    if (number >= load.sagas) {
      break;
    }
    const std::string id = fmt::format("{}{}", load.prefix, number);
    const Reply planned = co_await store.Plan(id, {}, Requested(key, number, 0));
    if (!planned.ok()) {
      progress.Fail(planned.refusal());
      break;
    }
    commands::AcquireT acquire;
    acquire.owner = std::make_unique<schema::OwnerT>(owner);
    const Reply acquired =
        co_await store.Acquire(id, std::move(acquire), Requested(key, number, 1));
    if (!acquired.ok()) {
      progress.Fail(acquired.refusal());
      break;
    }
    commands::HeartbeatT heartbeat;
    heartbeat.token = acquired.answer().token;
    heartbeat.ttl = 120'000'000;
    const Reply beaten =
        co_await store.Heartbeat(id, std::move(heartbeat), Requested(key, number, 2));
    if (!beaten.ok()) {
      progress.Fail(beaten.refusal());
      break;
    }
    if (!load.complete) {
      continue;
    }
    commands::CompleteT complete;
    complete.token = acquired.answer().token;
    const Reply completed =
        co_await store.Complete(id, std::move(complete), Requested(key, number, 3));
    if (!completed.ok()) {
      progress.Fail(completed.refusal());
      break;
    }
  }
  progress.ProducerEnded();
}

}  // namespace

Result<double> RunLifecycles(Store& store, const LifecycleLoad& load) {
  Progress progress(load.producers);
  const Timer::time_point start = Timer::now();
  for (std::uint64_t i = 0; i < load.producers; ++i) {
    Produce(store, load, progress);
  }
  RETURN_IF_ERROR(progress.Wait());
  return std::chrono::duration<double>(Timer::now() - start).count();
}

std::vector<double> TimeEach(std::uint64_t count, const std::function<void(std::uint64_t)>& step) {
  std::vector<double> micros;
  micros.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    const Timer::time_point start = Timer::now();
    step(i);
    micros.push_back(std::chrono::duration<double, std::micro>(Timer::now() - start).count());
  }
  std::sort(micros.begin(), micros.end());
  return micros;
}

double Quantile(const std::vector<double>& sorted, double share) {
  const auto place = static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1));
  return sorted[place];
}

}  // namespace sagalog::tools
