// What the rows on disk say of sagas that are no longer in memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "projections/saga.h"
#include "schema/status.h"

namespace sagalog {

// The newest ended generation of a natural key.
struct EndedKey {
  std::uint32_t generation = 0;
  std::string saga_id;
  State state = State::completed;
};

// A plan answered long ago: its request id is unique in the store.
struct EndedRequest {
  std::string saga_id;
  Sequence sequence;
};

// Look-ups behind Bloom filters, made by the caller's thread before the sequencer.
// Thread-safe. Absence is an empty optional; a damaged row is kCorruption.
class EndedRows {
 public:
  virtual ~EndedRows() = default;
  [[nodiscard]] virtual Result<std::optional<Saga>> FindSaga(std::string_view saga_id) const = 0;
  [[nodiscard]] virtual Result<std::optional<EndedKey>> FindKey(std::string_view key) const = 0;
  [[nodiscard]] virtual Result<std::optional<EndedRequest>> FindPlanRequest(
      std::uint64_t high, std::uint64_t low) const = 0;
  // The saga ids of all ended generations of a key, oldest first.
  [[nodiscard]] virtual Result<std::vector<std::string>> Generations(
      std::string_view key) const = 0;
  // Ended sagas in the order of their planning, planned after `after`, at most `limit`.
  [[nodiscard]] virtual Result<std::vector<Saga>> EndedAfter(Sequence after,
                                                             std::size_t limit) const = 0;
};

}  // namespace sagalog
