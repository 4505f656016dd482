// What is true of the store as a whole, as bytes in the meta row of a checkpoint.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "projections/projections.h"

namespace sagalog {

// The layout of all rows. Another number is another layout: the rows are then thrown away and
// folded again, so there is no reading of older ones.
inline constexpr std::uint64_t kRowLayoutVersion = 3;

struct StoreRow {
  Sequence sequence;
  StoreFacts facts;
  Statistics statistics;
  std::vector<std::pair<std::string, QueueConfiguration>> queues;
};

using NamedQueues = std::vector<std::pair<std::string_view, const QueueConfiguration*>>;

// Deterministic. `queues` sorted by name.
[[nodiscard]] std::string EncodeStoreRow(Sequence sequence, const StoreFacts& facts,
                                         const Statistics& statistics, const NamedQueues& queues);
// kUnsupportedVersion when the rows have another layout, kCorruption when the row is damaged.
[[nodiscard]] Result<StoreRow> DecodeStoreRow(std::string_view bytes);

}  // namespace sagalog
