#include "tools/text_wrap.h"

#include "tools/terminal.h"

namespace sagalog::tools {

std::vector<std::string> WrapWords(std::string_view text, std::size_t width) {
  std::vector<std::string> lines(1);
  std::size_t used = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) {
      continue;
    }
    const std::size_t word_width = DisplayWidth(word);
    if (used > 0 && width > 0 && used + 1 + word_width > width) {
      lines.emplace_back();
      used = 0;
    }
    if (used > 0) {
      lines.back() += ' ';
      ++used;
    }
    lines.back() += word;
    used += word_width;
  }
  return lines;
}

std::string WrapParagraphs(std::string_view text, std::size_t width) {
  std::string out;
  std::string paragraph;
  const auto finish = [&] {
    if (!paragraph.empty()) {
      for (const std::string& line : WrapWords(paragraph, width)) {
        out += line + "\n";
      }
      paragraph.clear();
    }
  };
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty() && line.front() != ' ') {
      paragraph += paragraph.empty() ? "" : " ";
      paragraph += line;
      continue;
    }
    finish();
    out += line;
    out += '\n';
  }
  finish();
  return out;
}

}  // namespace sagalog::tools
