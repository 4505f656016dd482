#include "schema/event_stub.h"

#include "schema/check.h"

namespace sagalog {

bool IsHeartbeatStub(const events::Event& event) {
  const events::Heartbeated* const heartbeat = event.body_as_Heartbeated();
  const bool says_progress =
      heartbeat != nullptr && heartbeat->progress() != nullptr && heartbeat->progress()->size() > 0;
  return IsStub(event) && heartbeat != nullptr && !says_progress && event.wall_time() == 0 &&
         event.actor() == nullptr && event.principal() == nullptr &&
         event.request_id() == nullptr && event.request_content() == 0 &&
         event.traceparent() == nullptr;
}

std::string_view StubEncoder::Encode(const events::Event& heartbeat, const EventHash& hash) {
  const events::Heartbeated* whole = heartbeat.body_as_Heartbeated();
  CHECK(whole != nullptr);
  builder_.Clear();
  const auto saga_id = builder_.CreateString(heartbeat.saga_id());
  const auto original_hash = builder_.CreateVector(hash.data(), hash.size());
  // The object API leaves empty texts out; here an empty one says that there was one.
  flatbuffers::Offset<flatbuffers::String> progress;
  if (whole->progress() != nullptr) {
    progress = builder_.CreateString("");
  }
  const auto body = events::CreateHeartbeated(builder_, whole->expires_at(), progress);
  events::EventBuilder event(builder_);
  event.add_sequence(heartbeat.sequence());
  event.add_saga_id(saga_id);
  event.add_version(heartbeat.version());
  event.add_previous(heartbeat.previous());
  event.add_previous_transition(heartbeat.previous_transition());
  event.add_time(heartbeat.time());
  event.add_body_type(events::Body::Heartbeated);
  event.add_body(body.Union());
  event.add_original_hash(original_hash);
  events::FinishEventBuffer(builder_, event.Finish());
  return {reinterpret_cast<const char*>(builder_.GetBufferPointer()), builder_.GetSize()};
}

}  // namespace sagalog
