// The events that one append makes durable together, and who waits for them.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reactor/queued_operation.h"
#include "schema/id.h"
#include "schema/limits.h"
#include "schema/store_time.h"

namespace sagalog {

// Encoded events one after the other, in memory that is used again. One thread at a time.
class Batch {
 public:
  // Of each event: FlatBuffers read in place want their eight bytes aligned.
  static constexpr std::size_t kAlignment = 8;

  // Empty again, for events after `last`.
  void Clear(Sequence last) {
    bytes_.clear();
    events_.clear();
    operations.clear();
    expected_last = last;
    decided_at = {};
  }

  [[nodiscard]] std::size_t CountEvents() const { return events_.size(); }
  [[nodiscard]] bool HasRoomFor(std::size_t events, std::size_t size_bytes) const {
    return events_.size() + events <= kBatchEventsMax &&
           bytes_.size() + size_bytes + events * kAlignment <= kBatchBytesMax;
  }

  void Add(std::string_view event) {
    bytes_.resize((bytes_.size() + kAlignment - 1) / kAlignment * kAlignment);
    events_.push_back({bytes_.size(), event.size()});
    bytes_.append(event);
  }
  // Takes back all events after the first `count`.
  void Shrink(std::size_t count) {
    if (count < events_.size()) {
      bytes_.resize(events_[count].offset);
      events_.resize(count);
    }
  }
  // Valid until the next Add.
  [[nodiscard]] std::string_view Event(std::size_t index) const {
    return {bytes_.data() + events_[index].offset, events_[index].size};
  }
  // Valid until the next Add or Views.
  [[nodiscard]] std::span<const std::string_view> Views() {
    views_.clear();
    for (std::size_t i = 0; i < events_.size(); ++i) {
      views_.push_back(Event(i));
    }
    return views_;
  }

  Sequence expected_last;
  // The boot time of the turn.
  Duration decided_at{};
  // Answered when the batch is durable, in the order of their decisions.
  std::vector<QueuedOperation*> operations;

 private:
  struct Place {
    std::size_t offset;
    std::size_t size;
  };

  std::string bytes_;
  std::vector<Place> events_;
  std::vector<std::string_view> views_;
};

}  // namespace sagalog
