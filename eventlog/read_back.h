// What every log checks: events before they are written, and again when they are read back.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "schema/events_generated.h"
#include "schema/id.h"
#include "schema/status.h"

namespace sagalog {

// The sequence an event's bytes carry, without trusting them; nothing when they are no event.
[[nodiscard]] std::optional<Sequence> PeekSequence(std::string_view bytes);

// What an append promises before anything is written: kInvalidArgument when `events` are more
// than schema/limits.h allows in one append. That they carry the sequences after `last` is
// CHECKed: whoever encodes them knows where the log ends.
[[nodiscard]] Status CheckBatch(Sequence last, std::span<const std::string_view> events);

// CHECKs what every replacement promises: whole events with sequences up to `last`.
void CheckReplacements(Sequence last, std::span<const std::string_view> events);

// kConflict with the actual end of the log.
[[nodiscard]] Status Conflict(Sequence last, Sequence expected_last);

// kCorruption, naming `sequence`, unless `bytes` are one whole event with that sequence. `bytes`
// must be aligned for 8-byte reads.
[[nodiscard]] Status VerifyReadBack(Sequence sequence, std::string_view bytes);

// Checks in a scan that each event stands behind the ones it names as its saga's previous, as far
// as the scan passed those: the same saga, one version less, the same last transition.
//
// Remembers the newest events only: its memory does not grow with the log.
class ChainCheck {
 public:
  // For a scan of `events_expected` events or fewer, from `first`.
  ChainCheck(Sequence first, std::uint64_t events_expected);

  // The next event in order. kCorruption, naming it, when its chain is broken.
  [[nodiscard]] Status Pass(const events::Event& event);

 private:
  struct Link {
    std::uint64_t saga_hash = 0;
    std::uint64_t version = 0;
    // What the saga's next event must name as its previous transition.
    std::uint64_t transition = 0;
  };

  std::uint64_t first_;
  std::vector<Link> links_;  // a ring: the link of sequence s is at s modulo its size
};

}  // namespace sagalog
