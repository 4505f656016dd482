#include "tools/table.h"

#include <algorithm>

#include "schema/check.h"

namespace sagalog::tools {
namespace {

constexpr std::size_t kGap = 2;
// A column cut below this says nothing any more; a terminal too narrow for that wraps.
constexpr std::size_t kColumnWidthMin = 4;

void AppendLine(std::string& out, const std::vector<Cell>& row,
                const std::vector<std::size_t>& widths, bool color) {
  std::string line;
  std::size_t spaces = 0;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (widths[i] == 0) {
      continue;
    }
    const std::string text = CutToWidth(row[i].text, widths[i]);
    if (!text.empty()) {
      line.append(spaces, ' ');
      line += Paint(text, row[i].style, color);
      spaces = 0;
    }
    spaces += widths[i] - DisplayWidth(text) + kGap;
  }
  out += line + "\n";
}

}  // namespace

void Table::Add(std::vector<Cell> row) {
  CHECK(row.size() == headings_.size());
  for (Cell& cell : row) {
    cell.text = Printable(cell.text);
  }
  rows_.push_back(std::move(row));
}

std::vector<std::size_t> Table::Widths(std::size_t columns) const {
  std::vector<std::size_t> widths(headings_.size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], DisplayWidth(row[i].text));
    }
  }
  std::size_t used = 0;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    if (widths[i] > 0) {
      widths[i] = std::max(widths[i], DisplayWidth(headings_[i]));
      used += widths[i] + (used > 0 ? kGap : 0);
    }
  }
  while (columns > 0 && used > columns) {
    // The first column names the row, and people copy it: it is cut last.
    auto widest = std::max_element(widths.begin() + 1, widths.end());
    if (widest == widths.end() || *widest <= kColumnWidthMin) {
      widest = widths.begin();
    }
    if (*widest <= kColumnWidthMin) {
      break;
    }
    --*widest;
    --used;
  }
  return widths;
}

std::string Table::Render(std::size_t columns, bool color) const {
  const std::vector<std::size_t> widths = Widths(columns);
  std::vector<Cell> head;
  for (const std::string& heading : headings_) {
    head.emplace_back(heading, Style::kDim);
  }
  std::string out;
  AppendLine(out, head, widths, color);
  for (const auto& row : rows_) {
    AppendLine(out, row, widths, color);
  }
  return out;
}

}  // namespace sagalog::tools
