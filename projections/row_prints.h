// A set of rows as a few numbers: equal sets give equal ones, others practically never.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "projections/checkpoint_batch.h"

namespace sagalog {

// What rows are mixed with. By chance, so that nobody can make two sets that look alike.
struct RowPrintKeys {
  std::array<std::uint64_t, 4> words{};
  [[nodiscard]] static RowPrintKeys Random();
};

// For each family the sum of the prints of its rows, 128 bits: the order does not matter, and a row
// that stands there twice counts twice.
class RowPrints {
 public:
  explicit RowPrints(const RowPrintKeys& keys) : keys_(keys) {}

  void Add(RowFamily family, std::string_view key, std::string_view value);

  friend bool operator==(const RowPrints& a, const RowPrints& b) { return a.sums_ == b.sums_; }

 private:
  RowPrintKeys keys_;
  std::array<std::array<std::uint64_t, 2>, kRowFamilies> sums_{};
};

}  // namespace sagalog
