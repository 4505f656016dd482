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
  std::uint64_t idle_connections = 5'000;
};

// For each load, as PROTOCOL_CONNECTIONSxDEPTH_…: per_second, p50_us, p99_us, p999_us, and, where
// the daemon's process is known, cpu_s_per_million. Then idle_connections and idle_bytes_each.
[[nodiscard]] Status MeasureRemote(const RemotePlan& plan, Figures& figures);

}  // namespace sagalog::tools
