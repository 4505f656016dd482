// Rows under headings, for people.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tools/terminal.h"

namespace sagalog::tools {

struct Cell {
  std::string text;  // made printable by the table
  Style style = Style::kPlain;

  Cell(std::string cell_text, Style cell_style = Style::kPlain)  // NOLINT
      : text(std::move(cell_text)), style(cell_style) {}
  Cell(const char* cell_text) : text(cell_text) {}  // NOLINT
};

// Aligned columns. A column that is empty in all rows is left out.
class Table {
 public:
  explicit Table(std::vector<std::string> headings) : headings_(std::move(headings)) {}

  // As many cells as there are headings.
  void Add(std::vector<Cell> row);
  [[nodiscard]] bool empty() const { return rows_.empty(); }

  // One line a row, each at most `columns` wide (0 = as wide as it takes): the widest columns are
  // cut first, the first column last. No trailing spaces.
  [[nodiscard]] std::string Render(std::size_t columns, bool color) const;

 private:
  [[nodiscard]] std::vector<std::size_t> Widths(std::size_t columns) const;

  std::vector<std::string> headings_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace sagalog::tools
