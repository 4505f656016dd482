// The newest events of the log in JSON: rendered once for all who follow it.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "eventlog/event_log.h"
#include "schema/events_generated.h"
#include "schema/id.h"

namespace sagalog {

// What a follower sees of an event.
struct RenderedEvent {
  explicit RenderedEvent(const events::Event& event);

  Sequence sequence;
  events::Body type;
  std::string saga;
  std::string json;
};

// Holds kEventTailSizeMax bytes of events without a gap between them. Thread-safe.
class EventTail {
 public:
  using Events = std::vector<std::shared_ptr<const RenderedEvent>>;

  // The events right behind `seen`, of about `bytes_max` together; empty when there are none, or
  // when they are no longer, or not yet, here.
  [[nodiscard]] Events Behind(Sequence seen, std::size_t bytes_max) const;
  // Renders what the log has got since; of more than the tail can hold, the newest.
  Status CatchUp(const EventLog& log);
  // The last event here; none = empty.
  [[nodiscard]] Sequence Last() const;

 private:
  void Add(const events::Event& event);

  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<const RenderedEvent>> events_;  // guarded by mutex_
  std::size_t bytes_ = 0;                                    // guarded by mutex_
};

}  // namespace sagalog
