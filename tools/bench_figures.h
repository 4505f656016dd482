// The figures of `sagalog bench local`. Each function measures one family of them in a folder of
// its own below `directory`, which it removes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "schema/status.h"

namespace sagalog::tools {

// By the names of the JSON keys; docs/benchmarks.md says what each means.
using Figures = std::map<std::string, double>;

struct BenchPlan {
  std::filesystem::path directory;
  std::uint64_t sagas = 100'000;         // of the append load
  std::uint64_t live_sagas = 1'000'000;  // of memory, sweep and stall
  std::uint64_t replayed_events = 5'000'000;
  bool large = true;                        // also reopen a log of 10,000,000 events
  std::uint64_t verify_events = 5'000'000;  // of the log that is verified
};

// append_ratio, transitions_per_second, raw_per_second, mean_event_bytes, bytes_per_event,
// rebuild_ratio, folded_per_second, raw_scan_per_second, rebuild_per_second
Status MeasureAppend(const BenchPlan& plan, Figures& figures);
// latency_ratio, transition_us, raw_put_us
Status MeasureLatency(const BenchPlan& plan, Figures& figures);
// bytes_per_live_saga, bytes_per_terminal_saga, sweep_us_0, sweep_us_1000
Status MeasureLiveSagas(const BenchPlan& plan, Figures& figures);
// stall_ms_max, and lonely_ms_max: the same without a checkpoint
Status MeasureStall(const BenchPlan& plan, Figures& figures);
// reopen_seconds_1m and reopen_seconds_10m
Status MeasureReopen(const BenchPlan& plan, Figures& figures);
// replay_states_per_second, replay_json_per_second, replay_scan_per_second, replay_ratio,
// replay_step_back_ms, replay_peak_mb, at_saga_ms
Status MeasureReplay(const BenchPlan& plan, Figures& figures);

// verify_ratio, verified_per_second, verify_scan_per_second, verify_peak_mib
Status MeasureVerify(const BenchPlan& plan, Figures& figures);

}  // namespace sagalog::tools
