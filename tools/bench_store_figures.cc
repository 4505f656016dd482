// What of a whole store is measured: throughput, latency, stalls, reopening.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "eventlog/raw_baseline.h"
#include "eventlog/rocks_log.h"
#include "projections/checkpoint.h"
#include "tools/bench_figures.h"
#include "tools/bench_load.h"
#include "tools/bench_process.h"

namespace sagalog::tools {
namespace {

namespace fs = std::filesystem;
using Timer = std::chrono::steady_clock;

constexpr std::uint64_t kRawBatch = 1000;

Result<std::unique_ptr<Store>> OpenStore(const fs::path& directory) {
  StoreOptions options;
  options.directory = directory;
  return Store::Open(std::move(options));
}

void Remove(const fs::path& directory) {
  std::error_code error;
  fs::remove_all(directory, error);
}

std::uint64_t SizeOf(const fs::path& directory) {
  std::uint64_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    bytes += entry.is_regular_file() ? entry.file_size() : 0;
  }
  return bytes;
}

double RateOf(std::uint64_t count, double seconds) { return static_cast<double>(count) / seconds; }

// Events per second folded from zero, read and verified meanwhile.
Result<double> FoldRate(const fs::path& directory) {
  RocksLogOptions options;
  options.mode = LogMode::kReadOnly;
  ASSIGN_OR_RETURN(const auto log, RocksLog::Open(directory, options));
  ASSIGN_OR_RETURN(const auto rows, CheckpointStore::Open({}, CheckpointStore::Mode::kInMemory));
  Projections projections(*rows);
  const Timer::time_point start = Timer::now();
  RETURN_IF_ERROR(Fold(*log, log->Last(), projections, nullptr));
  return RateOf(log->Last().value(), SecondsSince(start));
}

// Folding against a bare scan, and a whole `rebuild` that writes the rows anew.
Status MeasureRebuild(const fs::path& directory, Figures& figures) {
  std::vector<double> ratios;
  for (int round = 0; round < 5; ++round) {
    ASSIGN_OR_RETURN(const RawScan scan, TimeRawVerifiedScan(directory / "log"));
    ASSIGN_OR_RETURN(const double folded, FoldRate(directory));
    const double scanned = RateOf(scan.values, scan.seconds);
    ratios.push_back(folded / scanned);
    figures["folded_per_second"] = std::max(figures["folded_per_second"], folded);
    figures["raw_scan_per_second"] = std::max(figures["raw_scan_per_second"], scanned);
  }
  std::sort(ratios.begin(), ratios.end());
  figures["rebuild_ratio"] = Quantile(ratios, 0.5);
  ASSIGN_OR_RETURN(const auto store, OpenStore(directory));
  const std::uint64_t events = store->log().Last().value();
  const Timer::time_point start = Timer::now();
  RETURN_IF_ERROR(store->Rebuild());
  figures["rebuild_per_second"] = RateOf(events, SecondsSince(start));
  return store->Close();
}

}  // namespace

Status MeasureAppend(const BenchPlan& plan, Figures& figures) {
  constexpr int kRounds = 3;
  const fs::path directory = plan.directory / "append";
  const std::uint64_t events = plan.sagas * kLifecycleEvents;
  std::vector<double> ratios;
  std::vector<double> rates;
  std::vector<double> raw_rates;
  for (int round = 0; round < kRounds; ++round) {
    Remove(directory);
    ASSIGN_OR_RETURN(const auto store, OpenStore(directory));
    ASSIGN_OR_RETURN(const double seconds,
                     RunLifecycles(*store, {"saga-", plan.sagas, kManyProducers, true}));
    RETURN_IF_ERROR(store->Close());
    if (figures["mean_event_bytes"] == 0) {
      ASSIGN_OR_RETURN(const RawScan scan, TimeRawVerifiedScan(directory / "log"));
      figures["mean_event_bytes"] =
          static_cast<double>(scan.bytes) / static_cast<double>(scan.values);
      figures["bytes_per_event"] =
          static_cast<double>(SizeOf(directory / "log")) / static_cast<double>(scan.values);
    }
    const std::string value(static_cast<std::size_t>(figures["mean_event_bytes"]), 'v');
    ASSIGN_OR_RETURN(const double raw_seconds,
                     TimeRawWrites(plan.directory / "raw", {events, kRawBatch, value}));
    rates.push_back(RateOf(events, seconds));
    raw_rates.push_back(RateOf(events, raw_seconds));
    ratios.push_back(rates.back() / raw_rates.back());
  }
  for (auto* values : {&ratios, &rates, &raw_rates}) {
    std::sort(values->begin(), values->end());
  }
  figures["append_ratio"] = Quantile(ratios, 0.5);
  figures["transitions_per_second"] = Quantile(rates, 0.5);
  figures["raw_per_second"] = Quantile(raw_rates, 0.5);
  RETURN_IF_ERROR(MeasureRebuild(directory, figures));
  Remove(directory);
  return {};
}

Status MeasureLatency(const BenchPlan& plan, Figures& figures) {
  constexpr std::uint64_t kSteps = 5000;
  const fs::path directory = plan.directory / "latency";
  Remove(directory);
  ASSIGN_OR_RETURN(const auto store, OpenStore(directory));
  schema::OwnerT owner;
  owner.owner = "bench-worker";
  commands::AcquireT acquire;
  acquire.owner = std::make_unique<schema::OwnerT>(owner);
  if (!store->Plan("lonely").Get().ok()) {
    return {Code::kIoError, "the plan was refused"};
  }
  const Reply acquired = store->Acquire("lonely", std::move(acquire)).Get();
  if (!acquired.ok()) {
    return {Code::kIoError, "the acquisition was refused"};
  }
  std::uint64_t refused = 0;
  const auto beat = [&](std::uint64_t step) {
    commands::HeartbeatT heartbeat;
    heartbeat.token = acquired.answer().token;
    CallOptions options;
    options.request_id = schema::RequestId(7, step + 1);
    const Reply reply = store->Heartbeat("lonely", std::move(heartbeat), options).Get();
    refused += reply.ok() && reply.answer().outcome == answers::Outcome::ok ? 0 : 1;
  };
  std::vector<double> ratios;
  std::vector<double> ours;
  std::vector<double> raw;
  for (std::uint64_t round = 0; round < 5; ++round) {
    const auto micros = TimeEach(kSteps, [&](std::uint64_t step) { beat(round * kSteps + step); });
    const std::string value(180, 'v');
    ASSIGN_OR_RETURN(const double put, MedianRawPut(plan.directory / "raw", kSteps, value));
    ours.push_back(Quantile(micros, 0.5));
    raw.push_back(put);
    ratios.push_back(ours.back() / put);
  }
  if (refused > 0) {
    return {Code::kIoError, fmt::format("{} heartbeats were no transitions", refused)};
  }
  for (auto* values : {&ratios, &ours, &raw}) {
    std::sort(values->begin(), values->end());
  }
  figures["latency_ratio"] = Quantile(ratios, 0.5);
  figures["transition_us"] = Quantile(ours, 0.5);
  figures["raw_put_us"] = Quantile(raw, 0.5);
  RETURN_IF_ERROR(store->Close());
  Remove(directory);
  return {};
}

Status MeasureStall(const BenchPlan& plan, Figures& figures) {
  const fs::path directory = plan.directory / "stall";
  Remove(directory);
  StoreOptions options;
  options.directory = directory;
  options.checkpoint_events = plan.live_sagas * 100;  // only when asked for
  options.checkpoint_interval = std::chrono::hours(1);
  ASSIGN_OR_RETURN(const auto store, Store::Open(std::move(options)));
  RETURN_IF_ERROR(
      RunLifecycles(*store, {"saga-", plan.live_sagas, kManyProducers, false}).status());
  std::uint64_t refused = 0;
  const auto annotate = [&](std::uint64_t step) {
    commands::AnnotateT note;
    note.text = "n";
    const std::string id = fmt::format("saga-{}", step * 7919 % plan.live_sagas);
    refused += store->Annotate(id, std::move(note)).Get().ok() ? 0 : 1;
  };
  // Every live saga has changed, so that the checkpoint has all of them to write.
  std::atomic<bool> done{false};
  Status taken;
  std::thread checkpointer([&] {
    taken = store->Checkpoint();
    done.store(true);
  });
  double longest = 0;
  std::uint64_t steps = 0;
  while (!done.load()) {
    longest = std::max(longest, TimeEach(1, [&](std::uint64_t) { annotate(steps++); }).front());
  }
  checkpointer.join();
  RETURN_IF_ERROR(taken);
  figures["stall_ms_max"] = longest / 1000;
  figures["lonely_ms_max"] = TimeEach(std::max<std::uint64_t>(steps, 1), annotate).back() / 1000;
  RETURN_IF_ERROR(store->Close());
  Remove(directory);
  return refused == 0 ? Status() : Status(Code::kIoError, "an annotation was refused");
}

namespace {

Result<double> TimeReopening(const fs::path& directory, std::uint64_t events) {
  constexpr std::uint64_t kLive = 10'000;
  Remove(directory);
  {
    ASSIGN_OR_RETURN(const auto store, OpenStore(directory));
    RETURN_IF_ERROR(RunLifecycles(*store, {"live-", kLive, kManyProducers, false}).status());
    const std::uint64_t sagas = (events - kLive * 3) / kLifecycleEvents;
    RETURN_IF_ERROR(RunLifecycles(*store, {"saga-", sagas, kManyProducers, true}).status());
    RETURN_IF_ERROR(store->Close());
  }
  const Timer::time_point start = Timer::now();
  ASSIGN_OR_RETURN(const auto store, OpenStore(directory));
  const double seconds = SecondsSince(start);
  RETURN_IF_ERROR(store->Close());
  Remove(directory);
  return seconds;
}

}  // namespace

Status MeasureReopen(const BenchPlan& plan, Figures& figures) {
  ASSIGN_OR_RETURN(figures["reopen_seconds_1m"],
                   TimeReopening(plan.directory / "reopen", 1'000'000));
  if (plan.large) {
    ASSIGN_OR_RETURN(figures["reopen_seconds_10m"],
                     TimeReopening(plan.directory / "reopen", 10'000'000));
  }
  return {};
}

}  // namespace sagalog::tools
