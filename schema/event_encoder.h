// Events to bytes.
#pragma once

#include <string_view>

#include "schema/events_generated.h"

namespace sagalog {

// Encodes events one at a time into memory it reuses. One thread.
class EventEncoder {
 public:
  EventEncoder() : builder_(1024) {}

  // The bytes live until the next call.
  [[nodiscard]] std::string_view Encode(const events::EventT& event) {
    builder_.Clear();
    events::FinishEventBuffer(builder_, events::Event::Pack(builder_, &event));
    return {reinterpret_cast<const char*>(builder_.GetBufferPointer()), builder_.GetSize()};
  }

 private:
  flatbuffers::FlatBufferBuilder builder_;
};

}  // namespace sagalog
