// What of looking back is measured: a replay of a long log beside the raw scan of it.
#include <chrono>
#include <filesystem>
#include <string>

#include "eventlog/raw_baseline.h"
#include "eventlog/rocks_log.h"
#include "tools/bench_figures.h"
#include "tools/bench_load.h"
#include "tools/bench_process.h"
#include "tools/replay_cursor.h"
#include "tools/replay_text.h"

namespace sagalog::tools {
namespace {

namespace fs = std::filesystem;
using Timer = std::chrono::steady_clock;

Status WriteLog(const fs::path& directory, std::uint64_t events) {
  StoreOptions options;
  options.directory = directory;
  ASSIGN_OR_RETURN(const auto store, Store::Open(std::move(options)));
  RETURN_IF_ERROR(
      RunLifecycles(*store, {"saga-", events / kLifecycleEvents, kManyProducers, true}).status());
  return store->Close();
}

// Events per second that `visitor` is shown, of the whole log.
Result<double> PlayRate(const fs::path& directory, const ReplayCursor::Visitor& visitor) {
  RocksLogOptions options;
  options.mode = LogMode::kReadOnly;
  ASSIGN_OR_RETURN(const auto log, RocksLog::Open(directory, options));
  ReplayCursor cursor(*log, Sequence(1), log->Last(), EventFilter());
  const Timer::time_point start = Timer::now();
  RETURN_IF_ERROR(cursor.Play(visitor));
  return static_cast<double>(log->Last().value()) / SecondsSince(start);
}

// Milliseconds that one step back takes, far back in the log.
Result<double> StepBackMillis(const fs::path& directory) {
  constexpr int kSteps = 1000;
  RocksLogOptions options;
  options.mode = LogMode::kReadOnly;
  ASSIGN_OR_RETURN(const auto log, RocksLog::Open(directory, options));
  ReplayCursor cursor(*log, Sequence(1), log->Last(), EventFilter());
  RETURN_IF_ERROR(cursor.GoTo(log->Last()));
  const Timer::time_point start = Timer::now();
  for (int i = 0; i < kSteps; ++i) {
    ASSIGN_OR_RETURN(const bool moved, cursor.Backward());
    if (!moved) {
      break;
    }
    RETURN_IF_ERROR(cursor.Look([](const ReplayStep&) { return Status(); }));
  }
  return SecondsSince(start) * 1000 / kSteps;
}

// Milliseconds until a running store shows one saga as it was at a time, the median.
Result<double> FindPastMillis(const fs::path& directory, std::uint64_t sagas) {
  constexpr std::uint64_t kQuestions = 200;
  constexpr std::uint64_t kStride = 7919;
  StoreOptions options;
  options.directory = directory;
  ASSIGN_OR_RETURN(const auto store, Store::Open(std::move(options)));
  ASSIGN_OR_RETURN(const StoredEvent middle,
                   store->log().Read(Sequence(store->log().Last().value() / 2)));
  const StoreTime then = TimeFromMicros(middle->time());
  std::uint64_t shown = 0;
  const auto micros = TimeEach(kQuestions, [&](std::uint64_t i) {
    const auto saga = store->FindPast("saga-" + std::to_string(i * kStride % (sagas / 3)), then);
    shown += saga.ok() ? 1 : 0;
  });
  RETURN_IF_ERROR(store->Close());
  return shown == 0 ? Result<double>(Status(Code::kIoError, "no saga was found in the past"))
                    : Result<double>(Quantile(micros, 0.5) / 1000);
}

}  // namespace

Status MeasureReplay(const BenchPlan& plan, Figures& figures) {
  const fs::path directory = plan.directory / "replay";
  std::error_code error;
  fs::remove_all(directory, error);
  RETURN_IF_ERROR(WriteLog(directory, plan.replayed_events));
  ASSIGN_OR_RETURN(const RawScan scan, TimeRawVerifiedScan(directory / "log"));
  figures["replay_scan_per_second"] = static_cast<double>(scan.values) / scan.seconds;
  ForgetPeak();
  ASSIGN_OR_RETURN(figures["replay_states_per_second"],
                   PlayRate(directory, [](const ReplayStep&) { return Status(); }));
  std::string out;
  ASSIGN_OR_RETURN(figures["replay_json_per_second"],
                   PlayRate(directory, [&out](const ReplayStep& step) {
                     out.clear();
                     AppendStepJson(out, step);
                     return Status();
                   }));
  figures["replay_peak_mb"] = static_cast<double>(PeakBytes()) / 1e6;
  ASSIGN_OR_RETURN(figures["replay_step_back_ms"], StepBackMillis(directory));
  figures["replay_ratio"] = figures["replay_states_per_second"] / figures["replay_scan_per_second"];
  ASSIGN_OR_RETURN(figures["at_saga_ms"],
                   FindPastMillis(directory, plan.replayed_events / kLifecycleEvents));
  fs::remove_all(directory, error);
  return {};
}

}  // namespace sagalog::tools
