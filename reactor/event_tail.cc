#include "reactor/event_tail.h"

#include <algorithm>

#include "schema/json.h"
#include "schema/limits.h"

namespace sagalog {
namespace {

// Further back than this nobody is expected who follows the end of the log.
constexpr std::uint64_t kTailEventsMax = 16384;

}  // namespace

RenderedEvent::RenderedEvent(const events::Event& event)
    : sequence(event.sequence()),
      type(event.body_type()),
      saga(event.saga_id() == nullptr ? "" : event.saga_id()->str()),
      json(EventToJson(event)) {}

EventTail::Events EventTail::Behind(Sequence seen, std::size_t bytes_max) const {
  const std::lock_guard lock(mutex_);
  Events events;
  if (events_.empty() || seen < Sequence(events_.front()->sequence.value() - 1)) {
    return events;
  }
  std::size_t bytes = 0;
  for (std::size_t i = seen.value() + 1 - events_.front()->sequence.value();
       i < events_.size() && bytes < bytes_max; ++i) {
    events.push_back(events_[i]);
    bytes += events_[i]->json.size();
  }
  return events;
}

Status EventTail::CatchUp(const EventLog& log) {
  const std::uint64_t end = log.Last().value();
  const std::uint64_t oldest = end < kTailEventsMax ? 1 : end - kTailEventsMax + 1;
  const Sequence from(std::max(Last().value() + 1, oldest));
  return log.Scan(from, Sequence(end), [this](const events::Event& event, std::string_view) {
    Add(event);
    return Status();
  });
}

Sequence EventTail::Last() const {
  const std::lock_guard lock(mutex_);
  return events_.empty() ? Sequence() : events_.back()->sequence;
}

void EventTail::Add(const events::Event& event) {
  auto rendered = std::make_shared<const RenderedEvent>(event);
  const std::lock_guard lock(mutex_);
  // What was rendered before may hold what this event takes away.
  const bool redacts = event.body_type() == events::Body::Redacted;
  if (redacts ||
      (!events_.empty() && rendered->sequence.value() != events_.back()->sequence.value() + 1)) {
    events_.clear();
    bytes_ = 0;
  }
  bytes_ += rendered->json.size();
  events_.push_back(std::move(rendered));
  while (events_.size() > 1 && (bytes_ > kEventTailSizeMax || events_.size() > kTailEventsMax)) {
    bytes_ -= events_.front()->json.size();
    events_.pop_front();
  }
}

}  // namespace sagalog
