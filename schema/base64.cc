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

// Two digits for each 12 bits: an export writes hundreds of megabytes of them a second.
struct DigitPair {
  char first;
  char second;
};

constexpr std::array<DigitPair, 4096> DigitPairs() {
  std::array<DigitPair, 4096> pairs{};
  for (std::size_t bits = 0; bits < pairs.size(); ++bits) {
    pairs[bits] = {kAlphabet[bits >> 6], kAlphabet[bits & 63U]};
  }
  return pairs;
}

constexpr std::array<DigitPair, 4096> kDigitPairs = DigitPairs();

char* PutPair(char* out, std::uint32_t bits) {
  const DigitPair pair = kDigitPairs[bits];
  *out++ = pair.first;
  *out++ = pair.second;
  return out;
}

// The last one or two bytes, padded.
void PutRest(char* out, std::span<const std::uint8_t> bytes) {
  const std::uint32_t bits = bytes[0] << 16U | (bytes.size() > 1 ? bytes[1] << 8U : 0U);
  out = PutPair(out, bits >> 12);
  *out++ = bytes.size() > 1 ? kAlphabet[bits >> 6 & 63U] : '=';
  *out = '=';
}

// Writes what the digits of `text`, without padding, stand for; false when one is none, or bits
// are left over that are not 0.
bool PutBytes(std::uint8_t* out, std::string_view digits) {
  std::uint32_t bits = 0;
  std::size_t at = 0;
  for (; at + 4 <= digits.size(); at += 4) {
    const auto digit = [&](std::size_t i) {
      return kDigitValues[static_cast<std::uint8_t>(digits[at + i])];
    };
    const std::uint8_t first = digit(0);
    const std::uint8_t second = digit(1);
    const std::uint8_t third = digit(2);
    const std::uint8_t fourth = digit(3);
    if (((first | second | third | fourth) & 0xC0U) != 0) {
      return false;
    }
    *out++ = static_cast<std::uint8_t>(first << 2U | second >> 4U);
    *out++ = static_cast<std::uint8_t>(second << 4U | third >> 2U);
    *out++ = static_cast<std::uint8_t>(third << 6U | fourth);
  }
  std::size_t bit_count = 0;
  for (; at < digits.size(); ++at) {
    const std::uint8_t value = kDigitValues[static_cast<std::uint8_t>(digits[at])];
    if (value == kNoDigit) {
      return false;
    }
    bits = bits << 6 | value;
    bit_count += 6;
    if (bit_count >= 8) {
      bit_count -= 8;
      *out++ = static_cast<std::uint8_t>(bits >> bit_count);
    }
  }
  return (bits & ((1U << bit_count) - 1)) == 0;
}

// The digits of a text whose padding is right.
std::optional<std::string_view> DigitsOf(std::string_view text) {
  if (text.size() % 4 != 0) {
    return std::nullopt;
  }
  std::size_t digits = text.size();
  while (digits + 2 > text.size() && digits > 0 && text[digits - 1] == '=') {
    --digits;
  }
  return text.substr(0, digits);
}

}  // namespace

void AppendBase64(std::string& out, std::span<const std::uint8_t> bytes) {
  const std::size_t size = out.size();
  out.resize(size + (bytes.size() + 2) / 3 * 4);
  char* place = out.data() + size;
  for (; bytes.size() >= 3; bytes = bytes.subspan(3)) {
    const std::uint32_t bits = bytes[0] << 16U | bytes[1] << 8U | bytes[2];
    place = PutPair(place, bits >> 12);
    place = PutPair(place, bits & 0xFFFU);
  }
  if (!bytes.empty()) {
    PutRest(place, bytes);
  }
}

std::optional<std::vector<std::uint8_t>> DecodeBase64(std::string_view text) {
  const auto digits = DigitsOf(text);
  if (!digits) {
    return std::nullopt;
  }
  std::vector<std::uint8_t> bytes(digits->size() * 3 / 4);
  return PutBytes(bytes.data(), *digits) ? std::optional(std::move(bytes)) : std::nullopt;
}

bool DecodeBase64To(std::string& out, std::string_view text) {
  const auto digits = DigitsOf(text);
  if (!digits) {
    return false;
  }
  out.resize(digits->size() * 3 / 4);
  return PutBytes(reinterpret_cast<std::uint8_t*>(out.data()), *digits);
}

}  // namespace sagalog
