// A heartbeat that nobody needs whole any more, made small. The bytes: docs/log-format.md, stubs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "schema/events_generated.h"

namespace sagalog {

// SHA-256.
inline constexpr std::size_t kEventHashSize = 32;
using EventHash = std::array<std::uint8_t, kEventHashSize>;

[[nodiscard]] inline bool IsStub(const events::Event& event) {
  return event.original_hash() != nullptr;
}

// Whether it has the shape of what StubEncoder makes: a heartbeat that says no more than that.
[[nodiscard]] bool IsHeartbeatStub(const events::Event& event);

// Encodes stubs one at a time into memory it reuses. One thread.
class StubEncoder {
 public:
  StubEncoder() : builder_(1024) {}

  // What a fold needs of `heartbeat`, which is a Heartbeated: its place, its saga's chain, its
  // time, the expiry, and whether it told progress, but not what. `hash`: its leaf hash. The bytes
  // live until the next call.
  [[nodiscard]] std::string_view Encode(const events::Event& heartbeat, const EventHash& hash);

 private:
  flatbuffers::FlatBufferBuilder builder_;
};

}  // namespace sagalog
