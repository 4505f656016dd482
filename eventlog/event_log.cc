#include "eventlog/event_log.h"

#include <fmt/format.h>

namespace sagalog {
namespace {

bool IsHeartbeat(const events::Event& event) {
  return event.body_type() == events::Body::Heartbeated;
}

bool SameSaga(const events::Event& a, const events::Event& b) {
  const auto id = [](const events::Event& event) {
    return event.saga_id() == nullptr ? std::string_view() : event.saga_id()->string_view();
  };
  return id(a) == id(b);
}

// Whether `earlier`, which `later` names as a previous event of its saga, is one.
Status CheckLink(const events::Event& later, const events::Event& earlier, bool transitions_only) {
  const bool follows = transitions_only ? earlier.version() < later.version()
                                        : earlier.version() + 1 == later.version();
  if (SameSaga(later, earlier) && follows && !(transitions_only && IsHeartbeat(earlier))) {
    return {};
  }
  return {Code::kCorruption, fmt::format("event {} is damaged: event {} does not precede it",
                                         later.sequence(), earlier.sequence())};
}

// Whether `event`, which names no previous one, is the first of its saga.
Status CheckFirst(const events::Event& event) {
  if (event.version() <= 1) {
    return {};
  }
  return {Code::kCorruption,
          fmt::format("event {} is damaged: version {} of a saga names no earlier",
                      event.sequence(), event.version())};
}

}  // namespace

Status EventLog::WalkBack(Sequence newest, bool transitions_only, const Visitor& visitor) const {
  ASSIGN_OR_RETURN(StoredEvent event, Read(newest));
  if (transitions_only && IsHeartbeat(*event)) {
    const Sequence transition(event->previous_transition());
    if (transition.IsNone()) {
      return {};
    }
    return WalkBack(transition, transitions_only, visitor);
  }
  while (true) {
    RETURN_IF_ERROR(visitor(*event, event.bytes()));
    const Sequence previous(transitions_only ? event->previous_transition() : event->previous());
    if (previous.IsNone()) {
      return CheckFirst(*event);
    }
    Result<StoredEvent> earlier = Read(previous);
    RETURN_IF_ERROR(earlier.status());
    RETURN_IF_ERROR(CheckLink(*event, **earlier, transitions_only));
    event = *std::move(earlier);
  }
}

}  // namespace sagalog
