// The figures of `sagalog bench remote`: a daemon under load over its socket.
#pragma once

#include <cstdint>
#include <string>

#include "schema/status.h"
#include "tools/bench_figures.h"

namespace sagalog::tools {

struct RemotePlan {
  // "unix:PATH" or "native://HOST:PORT".
  std::string url;
  bool native = true;
  bool http = true;
  std::uint64_t lonely_sagas = 2'000;  // of a load with one connection
  std::uint64_t sagas = 50'000;        // of a load with many
  // Held while the loads are measured a second time.
  std::uint64_t idle_connections = 5'000;
  std::uint64_t followers = 1'000;
};

// For each load, as PROTOCOL_CONNECTIONSxDEPTH_…: per_second, p50_us, p99_us, p999_us, and, where
// the daemon's process is known, cpu_s_per_million. There also the same beside idle connections and
// followers of the log as crowd_…, with crowd_…_ratio to the rate without them, and what each of
// them and the whole daemon holds in memory.
[[nodiscard]] Status MeasureRemote(const RemotePlan& plan, Figures& figures);

}  // namespace sagalog::tools
