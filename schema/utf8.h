// Whether text is UTF-8, and whether it may be a name.
//
// Thread-safe: all functions are pure.
#pragma once

#include <cstddef>
#include <string_view>

namespace sagalog {

// The size of the character that starts at `at`, or 0 when the bytes there are no UTF-8: overlong
// forms, surrogates and what lies above U+10FFFF are none.
[[nodiscard]] std::size_t Utf8CharacterSize(std::string_view text, std::size_t at);

[[nodiscard]] bool IsUtf8(std::string_view text);

// UTF-8 without control characters (U+0000 to U+001F, U+007F to U+009F).
[[nodiscard]] bool IsPrintableUtf8(std::string_view text);

}  // namespace sagalog
