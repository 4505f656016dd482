#include "tools/bench_remote.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "reactor/client.h"
#include "reactor/http_client.h"
#include "tools/bench_crowd.h"
#include "tools/bench_load.h"
#include "tools/daemon_process.h"

namespace sagalog::tools {
namespace {

using Timer = std::chrono::steady_clock;
namespace fs = std::filesystem;

constexpr std::uint64_t kTransitionsEach = 4;
constexpr std::string_view kUnixScheme = "unix:";
constexpr std::int64_t kTtl = 120'000'000;

double MicrosSince(Timer::time_point start) {
  return std::chrono::duration<double, std::micro>(Timer::now() - start).count();
}

// What the lifecycles of one load share. Thread-safe.
class RemoteLoad {
 public:
  RemoteLoad(std::string name, std::uint64_t sagas, std::uint64_t running)
      : prefix_(fmt::format("{}-{}-", name, Timer::now().time_since_epoch().count())),
        key_(std::hash<std::string>()(prefix_)),
        sagas_(sagas),
        running_(running) {}

  // The number of the next saga; empty when there are enough.
  [[nodiscard]] std::optional<std::uint64_t> Next() {
    const std::uint64_t number = next_.fetch_add(1);
    return number < sagas_ && !failed_.load() ? std::optional(number) : std::nullopt;
  }
  [[nodiscard]] std::string SagaId(std::uint64_t number) const {
    return fmt::format("{}{}", prefix_, number);
  }
  [[nodiscard]] schema::RequestId Request(std::uint64_t number, std::uint64_t step) const {
    return {key_, number * kTransitionsEach + step};
  }
  void Fail(std::string why) {
    const std::lock_guard lock(mutex_);
    failure_ = std::move(why);
    failed_ = true;
  }
  void Ended(const std::vector<double>& micros) {
    const std::lock_guard lock(mutex_);
    micros_.insert(micros_.end(), micros.begin(), micros.end());
    if (--running_ == 0) {
      all_ended_.notify_all();
    }
  }
  // The sorted times of all transitions.
  [[nodiscard]] Result<std::vector<double>> Wait() {
    std::unique_lock lock(mutex_);
    all_ended_.wait(lock, [this] { return running_ == 0; });
    if (failed_) {
      return Status(Code::kIoError, failure_);
    }
    std::sort(micros_.begin(), micros_.end());
    return std::move(micros_);
  }

 private:
  const std::string prefix_;
  const std::uint64_t key_;
  const std::uint64_t sagas_;
  std::atomic<std::uint64_t> next_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  std::condition_variable all_ended_;
  std::uint64_t running_;
  std::string failure_;
  std::vector<double> micros_;
};

// One saga after the other through a client, each answer bringing about the next command.
class NativeLifecycles {
 public:
  NativeLifecycles(Client& client, RemoteLoad& load) : client_(client), load_(load) {}

  void Run() {
    const auto next = load_.Next();
    if (!next) {
      load_.Ended(micros_);
      return;
    }
    number_ = *next;
    saga_ = load_.SagaId(number_);
    step_ = 0;
    Send();
  }

 private:
  [[nodiscard]] Client::Call Command() {
    CallOptions options;
    options.request_id = load_.Request(number_, step_);
    if (step_ == 0) {
      return client_.Plan(saga_, {}, options);
    }
    if (step_ == 1) {
      commands::AcquireT acquire;
      acquire.owner = std::make_unique<schema::OwnerT>();
      acquire.owner->owner = "bench-worker";
      return client_.Acquire(saga_, std::move(acquire), options);
    }
    if (step_ == 2) {
      commands::HeartbeatT heartbeat;
      heartbeat.token = token_;
      heartbeat.ttl = kTtl;
      return client_.Heartbeat(saga_, std::move(heartbeat), options);
    }
    commands::CompleteT complete;
    complete.token = token_;
    return client_.Complete(saga_, std::move(complete), options);
  }

  void Send() {
    asked_ = Timer::now();
    Command().Then([this](const Result<Reply>& reply) { Take(reply); });
  }

  void Take(const Result<Reply>& reply) {
    micros_.push_back(MicrosSince(asked_));
    if (!reply.ok() || !reply->ok()) {
      load_.Fail(reply.ok() ? reply->refusal().detail : reply.status().text());
      load_.Ended(micros_);
      return;
    }
    if (step_ == 1) {
      token_ = reply->answer().token;
    }
    if (++step_ == kTransitionsEach) {
      Run();
    } else {
      Send();
    }
  }

  Client& client_;
  RemoteLoad& load_;
  std::uint64_t number_ = 0;
  std::uint64_t step_ = 0;
  std::string saga_;
  std::uint64_t token_ = 0;
  Timer::time_point asked_;
  std::vector<double> micros_;
};

// The same over HTTP, one request at a time.
void RunHttpLifecycles(const fs::path& socket, RemoteLoad& load) {
  std::vector<double> micros;
  auto client = HttpClient::Connect(socket);
  std::uint64_t token = 0;
  const auto send = [&](std::uint64_t number, std::uint64_t step, const std::string& target,
                        const std::string& body) {
    const schema::RequestId request = load.Request(number, step);
    const ApiRequest asked{
        "POST", target,
        fmt::format("{{\"request_id\":\"{:016x}{:016x}\"{}}}", request.high(), request.low(), body),
        ""};
    const Timer::time_point start = Timer::now();
    const Result<ApiResponse> answer = (*client)->Send(asked);
    micros.push_back(MicrosSince(start));
    if (!answer.ok() || answer->status != 200) {
      load.Fail(answer.ok() ? answer->body : answer.status().text());
      return false;
    }
    if (step == 1) {
      token = boost::json::parse(answer->body).at("token").to_number<std::uint64_t>();
    }
    return true;
  };
  if (!client.ok()) {
    load.Fail(client.status().text());
  }
  for (auto number = load.Next(); number; number = load.Next()) {
    const std::string path = "/v1/sagas/" + load.SagaId(*number);
    const bool done =
        send(*number, 0, "/v1/sagas", fmt::format(",\"saga_id\":\"{}\"", load.SagaId(*number))) &&
        send(*number, 1, path + ":acquire", ",\"owner\":\"bench-worker\"") &&
        send(*number, 2, path + ":heartbeat",
             fmt::format(",\"token\":{},\"ttl\":\"120s\"", token)) &&
        send(*number, 3, path + ":complete", fmt::format(",\"token\":{}", token));
    if (!done) {
      break;
    }
  }
  load.Ended(micros);
}

struct Shape {
  std::uint64_t connections;
  std::uint64_t depth;
};

Result<std::vector<double>> RunNative(const RemotePlan& plan, const Shape& shape,
                                      std::uint64_t sagas) {
  std::vector<std::unique_ptr<Client>> clients;
  for (std::uint64_t i = 0; i < shape.connections; ++i) {
    ASSIGN_OR_RETURN(auto client, Client::Connect({plan.url}));
    clients.push_back(std::move(client));
  }
  RemoteLoad load("bench-native", sagas, shape.connections * shape.depth);
  std::vector<std::unique_ptr<NativeLifecycles>> slots;
  for (std::uint64_t i = 0; i < shape.connections * shape.depth; ++i) {
    slots.push_back(std::make_unique<NativeLifecycles>(*clients[i % clients.size()], load));
    slots.back()->Run();
  }
  auto micros = load.Wait();
  clients.clear();  // before the slots that their last callbacks belong to
  return micros;
}

Result<std::vector<double>> RunHttp(const fs::path& socket, const Shape& shape,
                                    std::uint64_t sagas) {
  RemoteLoad load("bench-http", sagas, shape.connections);
  std::vector<std::thread> threads;
  for (std::uint64_t i = 0; i < shape.connections; ++i) {
    threads.emplace_back([&] { RunHttpLifecycles(socket, load); });
  }
  auto micros = load.Wait();
  for (std::thread& thread : threads) {
    thread.join();
  }
  return micros;
}

template <typename Run>
Status MeasureLoad(const std::string& name, const std::optional<DaemonProcess>& daemon,
                   Figures& figures, const Run& run) {
  const double cpu = daemon ? daemon->CpuSeconds() : 0;
  const Timer::time_point start = Timer::now();
  ASSIGN_OR_RETURN(const std::vector<double> micros, run());
  const double seconds = MicrosSince(start) / 1e6;
  if (micros.empty()) {
    return {Code::kIoError, "nothing was measured"};
  }
  const auto count = static_cast<double>(micros.size());
  figures[name + "_per_second"] = count / seconds;
  figures[name + "_p50_us"] = Quantile(micros, 0.5);
  figures[name + "_p99_us"] = Quantile(micros, 0.99);
  figures[name + "_p999_us"] = Quantile(micros, 0.999);
  if (daemon) {
    figures[name + "_cpu_s_per_million"] = (daemon->CpuSeconds() - cpu) / count * 1e6;
  }
  return {};
}

struct Measured {
  const RemotePlan& plan;
  const fs::path& socket;
  const std::optional<DaemonProcess>& daemon;
};

// The loads of both protocols, one after the other.
Status MeasureLoads(const Measured& of, Figures& figures) {
  const RemotePlan& plan = of.plan;
  if (plan.native) {
    for (const Shape& shape : {Shape{1, 1}, Shape{32, 1}, Shape{32, 100}}) {
      const std::string name = fmt::format("native_{}x{}", shape.connections, shape.depth);
      RETURN_IF_ERROR(MeasureLoad(name, of.daemon, figures, [&] {
        return RunNative(plan, shape, shape.connections == 1 ? plan.lonely_sagas : plan.sagas);
      }));
    }
  }
  if (plan.http) {
    for (const Shape& shape : {Shape{1, 1}, Shape{32, 1}}) {
      const std::string name = fmt::format("http_{}x{}", shape.connections, shape.depth);
      RETURN_IF_ERROR(MeasureLoad(name, of.daemon, figures, [&] {
        return RunHttp(of.socket, shape, shape.connections == 1 ? plan.lonely_sagas : plan.sagas);
      }));
    }
  }
  return {};
}

// What the daemon's memory has grown by since `before`, for each of `count`.
double BytesEach(const DaemonProcess& daemon, std::uint64_t before, std::size_t count) {
  const std::uint64_t after = std::max(before, daemon.ResidentBytes());
  return static_cast<double>(after - before) / static_cast<double>(std::max<std::size_t>(count, 1));
}

// The loads again while the daemon holds a crowd, and what that took from them.
Status MeasureBesideCrowd(const Measured& of, Figures& figures) {
  TakeAllDescriptors();
  const DaemonProcess& daemon = *of.daemon;
  const std::uint64_t alone = daemon.ResidentBytes();
  auto idle = Crowd::OpenIdle(of.socket, of.plan.idle_connections);
  figures["idle_connections"] = static_cast<double>(idle.size());
  figures["idle_bytes_each"] = BytesEach(daemon, alone, idle.size());
  const std::uint64_t before = daemon.ResidentBytes();
  auto followers = Crowd::OpenFollowers(of.socket, of.plan.followers);
  figures["followers"] = static_cast<double>(followers.size());
  figures["follower_bytes_each"] = BytesEach(daemon, before, followers.size());
  figures["resident_bytes"] = static_cast<double>(alone);
  const Crowd crowd(std::move(idle), std::move(followers));
  Figures beside;
  const Timer::time_point start = Timer::now();
  RETURN_IF_ERROR(MeasureLoads(of, beside));
  figures["followed_bytes_per_second"] =
      static_cast<double>(crowd.BytesFollowed()) / (MicrosSince(start) / 1e6);
  figures["resident_bytes_with_crowd"] = static_cast<double>(daemon.ResidentBytes());
  for (const auto& [name, value] : beside) {
    figures["crowd_" + name] = value;
    if (name.ends_with("_per_second")) {
      figures["crowd_" + name.substr(0, name.size() - 11) + "_ratio"] = value / figures[name];
    }
  }
  return {};
}

}  // namespace

Status MeasureRemote(const RemotePlan& plan, Figures& figures) {
  const bool is_unix = plan.url.starts_with(kUnixScheme);
  const fs::path socket = is_unix ? plan.url.substr(kUnixScheme.size()) : std::string();
  std::optional<DaemonProcess> daemon;
  if (is_unix) {
    daemon = DaemonProcess::At(socket);
    if (!daemon) {
      return {Code::kNotFound, fmt::format("{}: nobody listens there", socket.string())};
    }
  }
  if (plan.http && !is_unix) {
    return {Code::kInvalidArgument, "HTTP is measured over unix:PATH alone: add --native"};
  }
  const Measured of{plan, socket, daemon};
  RETURN_IF_ERROR(MeasureLoads(of, figures));
  if (daemon && plan.idle_connections + plan.followers > 0) {
    RETURN_IF_ERROR(MeasureBesideCrowd(of, figures));
  }
  return {};
}

}  // namespace sagalog::tools
