#include "tools/table.h"

#include <algorithm>

#include "schema/check.h"
#include "tools/moment.h"
#include "tools/text_wrap.h"

namespace sagalog::tools {
namespace {

constexpr std::size_t kGap = 2;
// A column cut below this says nothing any more; a terminal too narrow for that wraps.
constexpr std::size_t kColumnWidthMin = 4;
// The last column is broken into lines of this width before another one is cut.
constexpr std::size_t kLastWidthMin = 24;

const std::string& TextOf(const Cell& cell, bool narrow) {
  return narrow && !cell.narrow.empty() ? cell.narrow : cell.text;
}

std::size_t Total(const std::vector<std::size_t>& widths) {
  std::size_t used = 0;
  for (const std::size_t width : widths) {
    used += width == 0 ? 0 : width + (used > 0 ? kGap : 0);
  }
  return used;
}

// The last column that is shown; the number of columns when none is.
std::size_t LastShown(const std::vector<std::size_t>& widths) {
  for (std::size_t i = widths.size(); i > 0; --i) {
    if (widths[i - 1] > 0) {
      return i - 1;
    }
  }
  return widths.size();
}

// One row, which takes several lines when its last cell does.
void AppendRow(std::string& out, const std::vector<Cell>& row,
               const std::vector<std::size_t>& widths, bool narrow, bool color) {
  const std::size_t last = LastShown(widths);
  std::string line;
  std::size_t spaces = 0;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (widths[i] == 0) {
      continue;
    }
    const std::string& whole = TextOf(row[i], narrow);
    const auto texts = i == last && DisplayWidth(whole) > widths[i]
                           ? WrapWords(whole, widths[i])
                           : std::vector<std::string>{whole};
    for (std::size_t part = 0; part < texts.size(); ++part) {
      if (part > 0) {
        out += line + "\n";
        line.clear();
        spaces = Total(widths) - widths[i];
      }
      const std::string text = CutToWidth(texts[part], widths[i]);
      if (!text.empty()) {
        line.append(spaces, ' ');
        line += Paint(text, row[i].style, color);
        spaces = 0;
      }
      spaces += widths[i] - DisplayWidth(text) + kGap;
    }
  }
  out += line + "\n";
}

}  // namespace

Cell MomentCell(std::string_view time, std::optional<StoreTime> now) {
  Cell cell(Moment(time, now));
  if (const auto parsed = ParseTime(time); now && parsed.ok()) {
    cell.narrow = Relative(*parsed, *now);
  }
  return cell;
}

void Table::Add(std::vector<Cell> row) {
  CHECK(row.size() == headings_.size());
  for (Cell& cell : row) {
    cell.text = Printable(cell.text);
    cell.narrow = Printable(cell.narrow);
  }
  rows_.push_back(std::move(row));
}

std::vector<std::size_t> Table::NaturalWidths(bool narrow) const {
  std::vector<std::size_t> widths(headings_.size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], DisplayWidth(TextOf(row[i], narrow)));
    }
  }
  for (std::size_t i = 0; i < widths.size(); ++i) {
    if (widths[i] > 0) {
      widths[i] = std::max(widths[i], DisplayWidth(headings_[i]));
    }
  }
  return widths;
}

void Table::Shrink(std::vector<std::size_t>& widths, std::size_t columns) const {
  for (const std::string& heading : droppable_) {
    if (Total(widths) <= columns) {
      return;
    }
    const auto found = std::find(headings_.begin(), headings_.end(), heading);
    CHECK(found != headings_.end());
    widths[static_cast<std::size_t>(found - headings_.begin())] = 0;
  }
  std::size_t used = Total(widths);
  if (const std::size_t last = LastShown(widths);
      used > columns && last > 0 && last < widths.size() && widths[last] > kLastWidthMin) {
    const std::size_t too_much = std::min(used - columns, widths[last] - kLastWidthMin);
    widths[last] -= too_much;
    used -= too_much;
  }
  while (used > columns) {
    // The first column names the row, and people copy it: it is cut last.
    auto widest = std::max_element(widths.begin() + 1, widths.end());
    if (widest == widths.end() || *widest <= kColumnWidthMin) {
      widest = widths.begin();
    }
    if (*widest <= kColumnWidthMin) {
      return;
    }
    --*widest;
    --used;
  }
}

std::string Table::Render(std::size_t columns, bool color) const {
  std::vector<std::size_t> widths = NaturalWidths(false);
  const bool narrow = columns > 0 && Total(widths) > columns;
  if (narrow) {
    widths = NaturalWidths(true);
    Shrink(widths, columns);
  }
  std::vector<Cell> head;
  for (const std::string& heading : headings_) {
    head.emplace_back(heading, Style::kDim);
  }
  std::string out;
  AppendRow(out, head, widths, false, color);
  for (const auto& row : rows_) {
    AppendRow(out, row, widths, narrow, color);
  }
  return out;
}

}  // namespace sagalog::tools
