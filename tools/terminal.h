// What a person sees: colours, widths, and text that cannot play tricks on a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sagalog::tools {

enum class Style { kPlain, kStrong, kDim, kGood, kBusy, kBad };

// Whether `descriptor` is a terminal that wants colours: NO_COLOR (not empty) and TERM=dumb
// say no.
[[nodiscard]] bool WantsColor(int descriptor);

// The columns that `descriptor` has: $COLUMNS when it is set, the terminal's own, else 0 = as many
// as it takes, for files and pipes.
[[nodiscard]] std::size_t ColumnsOf(int descriptor);

// `text` in its style when `color` is on, else as it is.
[[nodiscard]] std::string Paint(std::string_view text, Style style, bool color);

// `text` with control characters and broken UTF-8 replaced by U+FFFD, and line breaks by a space:
// what callers stored must not move the cursor of those who look at it.
[[nodiscard]] std::string Printable(std::string_view text);

// How many columns `text` takes: wide characters two, combining ones none.
[[nodiscard]] std::size_t DisplayWidth(std::string_view text);

// `text` if it fits into `width` columns, else its beginning and "…". `width` is at least 1.
[[nodiscard]] std::string CutToWidth(std::string_view text, std::size_t width);

}  // namespace sagalog::tools
