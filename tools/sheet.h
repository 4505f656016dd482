// Names and values under a title, for people.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/terminal.h"

namespace sagalog::tools {

// A value may be longer than a line: nothing is cut.
class Sheet {
 public:
  // Left out when `value` is empty.
  void Add(std::string name, std::string_view value, Style style = Style::kPlain);
  [[nodiscard]] std::string Render(bool color) const;

 private:
  struct Row {
    std::string name;
    std::string value;
    Style style;
  };
  std::vector<Row> rows_;
};

}  // namespace sagalog::tools
