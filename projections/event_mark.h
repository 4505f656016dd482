// By which rows tell the log that they were folded from.
#pragma once

#include <cstdint>

#include "projections/text_hash.h"
#include "schema/events_generated.h"

namespace sagalog {

// A number that another history has at the same sequence hardly ever. Of what also a stub and a
// redacted event keep.
[[nodiscard]] inline std::uint64_t EventMark(const events::Event& event) {
  std::uint64_t mark = MixHash(event.sequence() ^ kHashSeed, kHashStep);
  mark = MixHash(mark ^ static_cast<std::uint64_t>(event.time()), kHashStep);
  mark = MixHash(mark ^ event.version(), kHashStep);
  mark = MixHash(mark ^ event.previous(), kHashStep);
  return MixHash(mark ^ event.previous_transition(), kHashStep);
}

}  // namespace sagalog
