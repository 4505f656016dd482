// Rows of a store that never took a checkpoint.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "projections/ended_rows.h"

namespace sagalog {

// Rows that never have anything.
class NoRows final : public EndedRows {
 public:
  [[nodiscard]] Result<std::optional<Saga>> FindSaga(std::string_view) const override {
    return std::optional<Saga>();
  }
  [[nodiscard]] Result<std::optional<EndedKey>> FindKey(std::string_view) const override {
    return std::optional<EndedKey>();
  }
  [[nodiscard]] Result<std::optional<EndedRequest>> FindPlanRequest(std::uint64_t,
                                                                    std::uint64_t) const override {
    return std::optional<EndedRequest>();
  }
  [[nodiscard]] Result<std::vector<std::string>> Generations(std::string_view) const override {
    return std::vector<std::string>();
  }
  [[nodiscard]] Result<std::vector<Saga>> EndedAfter(Sequence, std::size_t) const override {
    return std::vector<Saga>();
  }
};

}  // namespace sagalog
