#include "tools/sheet.h"

#include <algorithm>

#include <fmt/format.h>

namespace sagalog::tools {

void Sheet::Add(std::string name, std::string_view value, Style style) {
  if (!value.empty()) {
    rows_.push_back({std::move(name), Printable(value), style});
  }
}

std::string Sheet::Render(bool color) const {
  std::size_t width = 0;
  for (const Row& row : rows_) {
    width = std::max(width, row.name.size());
  }
  std::string out;
  for (const Row& row : rows_) {
    out += fmt::format("  {}{:{}}  {}\n", Paint(row.name, Style::kDim, color), "",
                       width - row.name.size(), Paint(row.value, row.style, color));
  }
  return out;
}

}  // namespace sagalog::tools
