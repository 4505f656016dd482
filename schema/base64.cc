#include "schema/base64.h"

#include <array>

namespace sagalog {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNoDigit = 0xFF;

constexpr std::array<std::uint8_t, 256> DigitValues() {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNoDigit);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<std::uint8_t>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}

constexpr std::array<std::uint8_t, 256> kDigitValues = DigitValues();

// Up to three bytes as four characters.
void AppendGroup(std::string& out, std::span<const std::uint8_t> bytes) {
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    bits = bits << 8 | (i < bytes.size() ? bytes[i] : 0U);
  }
  for (std::size_t i = 0; i < 4; ++i) {
    out += i <= bytes.size() ? kAlphabet[bits >> (18 - 6 * i) & 63U] : '=';
  }
}

}  // namespace

void AppendBase64(std::string& out, std::span<const std::uint8_t> bytes) {
  out.reserve(out.size() + (bytes.size() + 2) / 3 * 4);
  for (; bytes.size() > 3; bytes = bytes.subspan(3)) {
    AppendGroup(out, bytes.first(3));
  }
  if (!bytes.empty()) {
    AppendGroup(out, bytes);
  }
}

std::optional<std::vector<std::uint8_t>> DecodeBase64(std::string_view text) {
  if (text.size() % 4 != 0) {
    return std::nullopt;
  }
  std::size_t digits = text.size();
  while (digits + 2 > text.size() && digits > 0 && text[digits - 1] == '=') {
    --digits;
  }
  std::vector<std::uint8_t> bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  std::size_t bit_count = 0;
  for (const char c : text.substr(0, digits)) {
    const std::uint8_t value = kDigitValues[static_cast<std::uint8_t>(c)];
    if (value == kNoDigit) {
      return std::nullopt;
    }
    bits = bits << 6 | value;
    bit_count += 6;
    if (bit_count >= 8) {
      bit_count -= 8;
      bytes.push_back(static_cast<std::uint8_t>(bits >> bit_count));
    }
  }
  const bool stray_bits = (bits & ((1U << bit_count) - 1)) != 0;
  return stray_bits ? std::nullopt : std::optional(std::move(bytes));
}

}  // namespace sagalog
