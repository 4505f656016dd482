// A screen of `sagalog top`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/top_sample.h"

namespace sagalog::tools {

// By which the stale rows stand: as the store lists them, or the longest waiting first, or by name.
enum class TopOrder : std::uint8_t { kUrgent, kOldest, kName };
[[nodiscard]] TopOrder NextOrder(TopOrder order);

struct TopView {
  std::string place;        // which store this is
  std::size_t columns = 0;  // 0 = as wide as it takes
  std::size_t rows = 0;     // 0 = as long as it takes
  bool color = false;
  bool keys = false;  // a line tells them
  bool paused = false;
  TopOrder order = TopOrder::kUrgent;
  std::string trouble;  // why what is shown is old; empty = it is not
};

// At most `rows` lines of at most `columns`. `sample` null = nothing has been read yet.
[[nodiscard]] std::vector<std::string> TopFrame(const TopSample* sample,
                                                const std::optional<TopRates>& rates,
                                                const TopView& view);

// The same as one line of JSON, for programs.
[[nodiscard]] std::string TopJson(const TopSample& sample, const std::optional<TopRates>& rates);

}  // namespace sagalog::tools
