// The loads that `sagalog bench` puts on a store.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "reactor/store.h"

namespace sagalog::tools {

// What one saga of a load writes.
inline constexpr std::uint64_t kLifecycleEvents = 4;
// As many as keep a store busy on every disk that was tried.
inline constexpr std::uint64_t kManyProducers = 8192;

struct LifecycleLoad {
  std::string prefix;           // of the saga ids, which end in a number
  std::uint64_t sagas = 0;      // each: plan, acquire, heartbeat, complete
  std::uint64_t producers = 0;  // coroutines, each with one saga at a time
  bool complete = true;         // or leave the sagas running
};

// Runs the load to its end, request ids on; seconds it took. kIoError, in words, when an answer
// was not the expected one.
[[nodiscard]] Result<double> RunLifecycles(Store& store, const LifecycleLoad& load);

// Calls `step` `count` times, one after the other; the sorted durations in microseconds.
[[nodiscard]] std::vector<double> TimeEach(std::uint64_t count,
                                           const std::function<void(std::uint64_t)>& step);

// The value below which the share `share` of the sorted values lies.
[[nodiscard]] double Quantile(const std::vector<double>& sorted, double share);

}  // namespace sagalog::tools
