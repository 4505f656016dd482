// How often values of which size came: counted without locks, for whoever watches.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace sagalog {

// Thread-safe. Readings are of one moment in each number, not in all of them together.
class Histogram {
 public:
  static constexpr std::size_t kBoundsMax = 20;

  // The largest value of each step but the last, which has none; rising, kBoundsMax at most.
  // Borrowed.
  explicit constexpr Histogram(std::span<const double> bounds) : bounds_(bounds) {}

  void Record(double value) {
    const auto step = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
    counts_[static_cast<std::size_t>(step)].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
  }

  [[nodiscard]] std::span<const double> bounds() const { return bounds_; }
  // Of one step; bounds().size() is that of what is larger than all bounds.
  [[nodiscard]] std::uint64_t CountOf(std::size_t step) const {
    return counts_[step].load(std::memory_order_relaxed);
  }
  [[nodiscard]] double Sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  const std::span<const double> bounds_;
  std::array<std::atomic<std::uint64_t>, kBoundsMax + 1> counts_{};
  std::atomic<double> sum_{0};
};

// Seconds, from what a fast disk takes to what somebody should hear of.
inline constexpr std::array kSecondBounds = {0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025,
                                             0.005,   0.01,   0.025,   0.05,   0.1,   0.25,
                                             0.5,     1.0,    2.5,     10.0};
inline constexpr std::array kBatchBounds = {1.0,   2.0,   4.0,   8.0,    16.0,   32.0,  64.0,
                                            128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0};

// How appends to a log went.
struct AppendFigures {
  Histogram events{kBatchBounds};    // of one append
  Histogram seconds{kSecondBounds};  // until it was durable
};

}  // namespace sagalog
