// Rows under headings, for people.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "schema/store_time.h"
#include "tools/terminal.h"

namespace sagalog::tools {

struct Cell {
  std::string text;  // made printable by the table
  Style style = Style::kPlain;

  // Instead of `text` where the table would not fit; empty = the same.
  std::string narrow = {};

  Cell(std::string cell_text, Style cell_style = Style::kPlain)  // NOLINT
      : text(std::move(cell_text)), style(cell_style) {}
  Cell(const char* cell_text) : text(cell_text) {}  // NOLINT
};

// A time as Moment says it; where there is no room, only how long ago or how soon.
[[nodiscard]] Cell MomentCell(std::string_view time, std::optional<StoreTime> now);

// Aligned columns. A column that is empty in all rows is left out.
class Table {
 public:
  explicit Table(std::vector<std::string> headings) : headings_(std::move(headings)) {}

  // As many cells as there are headings.
  void Add(std::vector<Cell> row);
  [[nodiscard]] bool empty() const { return rows_.empty(); }

  // Columns that may go, the first of them first, where the table would not fit.
  void MayDrop(std::vector<std::string> headings) { droppable_ = std::move(headings); }

  // Lines of at most `columns` (0 = as wide as it takes). What does not fit says its times shorter,
  // then loses columns that may go; then the last column is broken into several lines, and the
  // widest are cut, the first column last. No trailing spaces.
  [[nodiscard]] std::string Render(std::size_t columns, bool color) const;

 private:
  // How wide each column is when nothing is cut; 0 = left out.
  [[nodiscard]] std::vector<std::size_t> NaturalWidths(bool narrow) const;
  // Makes them fit.
  void Shrink(std::vector<std::size_t>& widths, std::size_t columns) const;

  std::vector<std::string> headings_;
  std::vector<std::string> droppable_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace sagalog::tools
