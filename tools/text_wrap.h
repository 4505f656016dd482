// Text in lines that fit, broken between words.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sagalog::tools {

// The lines of `text`, each at most `width` columns where its words allow it; 0 = one line.
[[nodiscard]] std::vector<std::string> WrapWords(std::string_view text, std::size_t width);

// Paragraphs are filled anew; an empty line ends one, and a line that begins with a space stays as
// it is.
[[nodiscard]] std::string WrapParagraphs(std::string_view text, std::size_t width);

}  // namespace sagalog::tools
