// The newest events of a log as they were appended, for those who follow it closely.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "schema/events_generated.h"
#include "schema/id.h"

namespace sagalog {

// The events of one append, each where a flatbuffer may begin.
class AppendedEvents {
 public:
  AppendedEvents(Sequence first, std::span<const std::string_view> events);

  [[nodiscard]] Sequence first() const { return first_; }
  [[nodiscard]] Sequence last() const { return Sequence(first_.value() + places_.size() - 1); }
  // One of them.
  [[nodiscard]] std::string_view Bytes(Sequence sequence) const;
  [[nodiscard]] const events::Event& operator[](Sequence sequence) const {
    return *events::GetEvent(Bytes(sequence).data());
  }
  [[nodiscard]] std::size_t size_bytes() const { return size_bytes_; }

 private:
  struct Place {
    std::size_t word;
    std::size_t size;
  };

  Sequence first_;
  std::vector<Place> places_;
  std::unique_ptr<std::uint64_t[]> words_;
  std::size_t size_bytes_ = 0;
};

// Whoever reads what has just been written would have RocksDB look it up, and verify what nobody
// can have damaged. So it stands here for a while: at most some 8 MiB of it, and only as long as
// somebody asks. Thread-safe.
class RecentEvents {
 public:
  using Appends = std::vector<std::shared_ptr<const AppendedEvents>>;
  static constexpr std::size_t kBytesMax = 8UL << 20;

  // They are durable, and stand behind all that were added before.
  void Add(Sequence first, std::span<const std::string_view> events);
  // Those that hold `from` and what follows it, up to `through`; none when `from` is not here.
  [[nodiscard]] Appends Find(Sequence from, Sequence through);
  // Something that was appended has been replaced.
  void Clear();

 private:
  std::mutex mutex_;
  std::deque<std::shared_ptr<const AppendedEvents>> appends_;  // guarded by mutex_
  std::size_t bytes_ = 0;                                      // guarded by mutex_
  // Since somebody has asked.
  std::size_t bytes_unasked_ = kBytesMax;  // guarded by mutex_
};

}  // namespace sagalog
