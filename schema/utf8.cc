#include "schema/utf8.h"

#include <cstdint>

namespace sagalog {
namespace {

std::uint8_t ByteAt(std::string_view text, std::size_t at) {
  return static_cast<std::uint8_t>(text[at]);
}

bool IsContinuation(std::string_view text, std::size_t at) {
  return at < text.size() && (ByteAt(text, at) & 0xC0) == 0x80;
}

}  // namespace

std::size_t Utf8CharacterSize(std::string_view text, std::size_t at) {
  const std::uint8_t lead = ByteAt(text, at);
  if (lead < 0x80) {
    return 1;
  }
  if (lead < 0xC2 || lead > 0xF4 || !IsContinuation(text, at + 1)) {
    return 0;
  }
  if (lead < 0xE0) {
    return 2;
  }
  // The second byte rules out overlong forms, surrogates and too large code points.
  const std::uint8_t second = ByteAt(text, at + 1);
  if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
      (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) {
    return 0;
  }
  if (!IsContinuation(text, at + 2)) {
    return 0;
  }
  if (lead < 0xF0) {
    return 3;
  }
  return IsContinuation(text, at + 3) ? 4 : 0;
}

bool IsUtf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = Utf8CharacterSize(text, at);
    if (size == 0) {
      return false;
    }
    at += size;
  }
  return true;
}

bool IsPrintableUtf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = Utf8CharacterSize(text, at);
    const std::uint8_t lead = ByteAt(text, at);
    if (size == 0 || lead < 0x20 || lead == 0x7F || (lead == 0xC2 && ByteAt(text, at + 1) < 0xA0)) {
      return false;
    }
    at += size;
  }
  return true;
}

}  // namespace sagalog
