// Base64 (RFC 4648, section 4) with padding.
//
// Thread-safe: all functions are pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sagalog {

// Appends the base64 form of `bytes` to `out`.
void AppendBase64(std::string& out, std::span<const std::uint8_t> bytes);

// Nothing unless `text` is exactly what AppendBase64 would write: other alphabets, missing padding,
// line breaks and stray bits are refused, so that one payload has one form.
[[nodiscard]] std::optional<std::vector<std::uint8_t>> DecodeBase64(std::string_view text);
// The same in `out`, whose memory is used again; false where that gives nothing.
[[nodiscard]] bool DecodeBase64To(std::string& out, std::string_view text);

}  // namespace sagalog
