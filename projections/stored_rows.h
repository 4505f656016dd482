// The rows of a checkpoint as they are stored, for whoever compares them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "projections/checkpoint.h"
#include "projections/checkpoint_batch.h"

namespace sagalog {

// One family, in the order of its keys. One thread.
class RowCursor {
 public:
  virtual ~RowCursor() = default;
  // Also after an error.
  [[nodiscard]] virtual bool AtEnd() const = 0;
  // Until the next step, and not at the end.
  [[nodiscard]] virtual std::string_view key() const = 0;
  [[nodiscard]] virtual std::string_view value() const = 0;
  virtual void Next() = 0;
  // Why it ended; OK = there are no more.
  [[nodiscard]] virtual Status status() const = 0;
};

// From the first row on. `store` outlives it and stays open.
[[nodiscard]] std::unique_ptr<RowCursor> ReadRows(const CheckpointStore& store, RowFamily family);
// The row under a key; empty = there is none.
[[nodiscard]] Result<std::optional<std::string>> ReadRow(const CheckpointStore& store,
                                                         RowFamily family, std::string_view key);

}  // namespace sagalog
