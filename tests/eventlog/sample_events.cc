#include "tests/eventlog/sample_events.h"

#include <utility>

#include "schema/event_encoder.h"

namespace sagalog {

std::string SampleEvents::Next(std::string_view saga, std::string_view text) {
  events::EventT event;
  if (!sagas_.contains(saga)) {
    events::PlannedT body;
    body.queue = "default";
    event.body.Set(std::move(body));
  } else {
    events::AnnotatedT body;
    body.text = text;
    event.body.Set(std::move(body));
  }
  return Encode(saga, std::move(event));
}

std::string SampleEvents::Heartbeat(std::string_view saga) {
  events::EventT event;
  events::HeartbeatedT body;
  body.expires_at = 1'795'000'060'000'000;
  event.body.Set(std::move(body));
  return Encode(saga, std::move(event));
}

std::vector<std::string> SampleEvents::Batch(std::size_t count) {
  static constexpr std::string_view kSagas[] = {"a", "b", "c"};
  std::vector<std::string> events;
  for (std::size_t i = 0; i < count; ++i) {
    events.push_back(Next(kSagas[last_.value() % std::size(kSagas)]));
  }
  return events;
}

void SampleEvents::ForgetBeyond(Sequence last) {
  const auto after = before_.find(last.Next());
  if (after != before_.end()) {
    sagas_ = after->second;
    last_ = last;
    before_.erase(after, before_.end());
  }
}

std::string SampleEvents::Encode(std::string_view saga, events::EventT event) {
  before_[last_.Next()] = sagas_;
  Saga& state = sagas_[std::string(saga)];
  last_ = last_.Next();
  event.sequence = last_.value();
  event.saga_id = saga;
  event.version = ++state.version;
  event.previous = std::exchange(state.previous, last_.value());
  event.previous_transition = state.transition;
  event.time = 1'795'000'000'000'000 + static_cast<std::int64_t>(last_.value());
  event.wall_time = event.time;
  event.actor = "test";
  if (event.body.type != events::Body::Heartbeated) {
    state.transition = last_.value();
  }
  EventEncoder encoder;
  return std::string(encoder.Encode(event));
}

Status AppendAll(EventLog& log, const std::vector<std::string>& events) {
  const std::vector<std::string_view> views(events.begin(), events.end());
  return log.Append(log.Last(), views);
}

Result<std::vector<std::string>> ReadAll(const EventLog& log) {
  std::vector<std::string> all;
  RETURN_IF_ERROR(log.Scan(Sequence(1), log.Last(), [&](const events::Event&, std::string_view b) {
    all.emplace_back(b);
    return Status();
  }));
  return all;
}

}  // namespace sagalog
