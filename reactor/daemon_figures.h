// What a daemon counts of its own work, for /metrics.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "eventlog/histogram.h"
#include "schema/answers_generated.h"
#include "schema/commands_generated.h"

namespace sagalog {

// Commands by their name and what came of them. Thread-safe, without locks.
class CommandCounts {
 public:
  static constexpr std::size_t kCommands = static_cast<std::size_t>(commands::Body::MAX) + 1;
  static constexpr std::size_t kOutcomes = static_cast<std::size_t>(answers::Outcome::MAX) + 1;
  static constexpr std::size_t kCodes = static_cast<std::size_t>(schema::RefusalCode::MAX) + 1;

  void CountAnswer(commands::Body type, answers::Outcome outcome) {
    Add(answers_[static_cast<std::size_t>(type)][static_cast<std::size_t>(outcome)]);
  }
  void CountRefusal(commands::Body type, schema::RefusalCode code) {
    Add(refusals_[static_cast<std::size_t>(type)][static_cast<std::size_t>(code)]);
  }
  // From when a command was read to when its answer was durable.
  void CountSeconds(commands::Body type, double seconds) {
    seconds_[static_cast<std::size_t>(type)].Record(seconds);
  }

  [[nodiscard]] std::uint64_t Answers(commands::Body type, answers::Outcome outcome) const {
    return answers_[static_cast<std::size_t>(type)][static_cast<std::size_t>(outcome)].load(
        std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t Refusals(commands::Body type, schema::RefusalCode code) const {
    return refusals_[static_cast<std::size_t>(type)][static_cast<std::size_t>(code)].load(
        std::memory_order_relaxed);
  }
  [[nodiscard]] const Histogram& Seconds(commands::Body type) const {
    return seconds_[static_cast<std::size_t>(type)];
  }

 private:
  struct Latency : Histogram {
    constexpr Latency() : Histogram(kSecondBounds) {}
  };

  static void Add(std::atomic<std::uint64_t>& count) {
    count.fetch_add(1, std::memory_order_relaxed);
  }

  std::array<std::array<std::atomic<std::uint64_t>, kOutcomes>, kCommands> answers_{};
  std::array<std::array<std::atomic<std::uint64_t>, kCodes>, kCommands> refusals_{};
  std::array<Latency, kCommands> seconds_{};
};

// Thread-safe.
struct DaemonFigures {
  CommandCounts commands;
  std::atomic<std::uint64_t> connections{0};
  std::atomic<std::uint64_t> followers{0};
  // Connections that there was no room for.
  std::atomic<std::uint64_t> refused_connections{0};
};

}  // namespace sagalog
