// What `sagalog bench` asks of its own process: time that passed, and memory.
#pragma once

#include <chrono>
#include <cstdint>

namespace sagalog::tools {

[[nodiscard]] double SecondsSince(std::chrono::steady_clock::time_point start);

// Gives back what the allocator keeps of an earlier load; PeakBytes counts from here.
void ForgetPeak();
// The most memory that the process had resident since ForgetPeak, or since its start; 0 where
// /proc does not tell.
[[nodiscard]] std::uint64_t PeakBytes();

}  // namespace sagalog::tools
