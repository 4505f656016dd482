#include "tools/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdlib>

#include "schema/utf8.h"

namespace sagalog::tools {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::string_view kEllipsis = "\xE2\x80\xA6";     // U+2026

struct Range {
  char32_t first;
  char32_t last;
};

// Unicode's East Asian Wide and Fullwidth blocks, and the emoji that terminals draw wide.
constexpr std::array<Range, 11> kWide = {{{0x1100, 0x115F},
                                          {0x2E80, 0x303E},
                                          {0x3041, 0xA4CF},
                                          {0xAC00, 0xD7A3},
                                          {0xF900, 0xFAFF},
                                          {0xFE30, 0xFE6F},
                                          {0xFF00, 0xFF60},
                                          {0xFFE0, 0xFFE6},
                                          {0x1F300, 0x1F64F},
                                          {0x1F900, 0x1F9FF},
                                          {0x20000, 0x3FFFD}}};
// Combining marks, joiners, direction marks and variation selectors.
constexpr std::array<Range, 7> kWithoutWidth = {{{0x0300, 0x036F},
                                                 {0x1AB0, 0x1AFF},
                                                 {0x200B, 0x200F},
                                                 {0x202A, 0x202E},
                                                 {0x2060, 0x2069},
                                                 {0x20D0, 0x20FF},
                                                 {0xFE00, 0xFE0F}}};

template <std::size_t size>
bool Contains(const std::array<Range, size>& ranges, char32_t character) {
  for (const Range& range : ranges) {
    if (character >= range.first && character <= range.last) {
      return true;
    }
  }
  return false;
}

// The character whose `size` bytes of UTF-8 start at `at`.
char32_t Decode(std::string_view text, std::size_t at, std::size_t size) {
  const auto first = static_cast<std::uint8_t>(text[at]);
  char32_t character = size == 1 ? first : first & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    character = character << 6 | (static_cast<std::uint8_t>(text[at + i]) & 0x3FU);
  }
  return character;
}

std::size_t WidthOf(char32_t character) {
  if (Contains(kWithoutWidth, character)) {
    return 0;
  }
  return Contains(kWide, character) ? 2 : 1;
}

// Direction overrides reorder what stands beside them: no more welcome than control characters.
bool IsHarmless(char32_t character) {
  const bool control = character < 0x20 || (character >= 0x7F && character <= 0x9F);
  const bool direction =
      (character >= 0x202A && character <= 0x202E) || (character >= 0x2066 && character <= 0x2069);
  return !control && !direction;
}

}  // namespace

bool WantsColor(int descriptor) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return isatty(descriptor) == 1 && (no_color == nullptr || *no_color == '\0') &&
         (term == nullptr || std::string_view(term) != "dumb");
}

std::size_t ColumnsOf(int descriptor) {
  if (const char* given = std::getenv("COLUMNS"); given != nullptr) {
    const std::string_view text(given);
    std::size_t columns = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), columns);
    if (error == std::errc() && end == text.data() + text.size() && columns > 0) {
      return columns;
    }
  }
  winsize size{};
  if (isatty(descriptor) == 1 && ioctl(descriptor, TIOCGWINSZ, &size) == 0) {
    return size.ws_col;
  }
  return 0;
}

std::string Paint(std::string_view text, Style style, bool color) {
  if (!color || style == Style::kPlain || text.empty()) {
    return std::string(text);
  }
  const char* code = "0";
  switch (style) {
    case Style::kPlain: break;
    case Style::kStrong: code = "1"; break;
    case Style::kDim: code = "2"; break;
    case Style::kGood: code = "32"; break;
    case Style::kBusy: code = "36"; break;
    case Style::kBad: code = "31"; break;
  }
  return std::string("\x1B[") + code + "m" + std::string(text) + "\x1B[0m";
}

std::string Printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = Utf8CharacterSize(text, at);
    if (text[at] == '\n' || text[at] == '\t') {
      out += ' ';
    } else if (size > 0 && IsHarmless(Decode(text, at, size))) {
      out += text.substr(at, size);
    } else {
      out += kReplacement;
    }
    at += size > 0 ? size : 1;
  }
  return out;
}

std::size_t DisplayWidth(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = Utf8CharacterSize(text, at);
    width += size > 0 ? WidthOf(Decode(text, at, size)) : 1;
    at += size > 0 ? size : 1;
  }
  return width;
}

std::string CutToWidth(std::string_view text, std::size_t width) {
  if (DisplayWidth(text) <= width) {
    return std::string(text);
  }
  std::size_t used = 1;  // the ellipsis
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t size = Utf8CharacterSize(text, at);
    const std::size_t columns = size > 0 ? WidthOf(Decode(text, at, size)) : 1;
    if (used + columns > width) {
      break;
    }
    used += columns;
    at += size > 0 ? size : 1;
  }
  return std::string(text.substr(0, at)) + std::string(kEllipsis);
}

}  // namespace sagalog::tools
