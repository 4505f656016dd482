#include "projections/checkpoint_batch.h"

#include <algorithm>
#include <limits>

#include "schema/check.h"

namespace sagalog {

void CheckpointBatch::Append(RowFamily family, bool is_delete, std::string_view key,
                             std::string_view value) {
  CHECK(key.size() <= std::numeric_limits<std::uint16_t>::max());
  CHECK(value.size() <= std::numeric_limits<std::uint32_t>::max());
  const Head head{family, is_delete, static_cast<std::uint16_t>(key.size()),
                  static_cast<std::uint32_t>(value.size())};
  const std::size_t size = sizeof(head) + key.size() + value.size();
  if (chunks_.empty() || chunks_.back().size() + size > chunks_.back().capacity()) {
    // The first one small: most checkpoints of a quiet store write little.
    const std::size_t chunk_size = chunks_.empty() ? kChunkSize / 64 : kChunkSize;
    chunks_.emplace_back().reserve(std::max(size, chunk_size));
  }
  chunks_.back()
      .append(reinterpret_cast<const char*>(&head), sizeof(head))
      .append(key)
      .append(value);
}

}  // namespace sagalog
