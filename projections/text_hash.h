// A fast hash of short texts, for tables in memory and for rows that may be thrown away: never
// written into the log.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace sagalog {

// Multiplies 64 by 64 bits and folds the halves: every bit of both reaches every bit of the result.
[[nodiscard]] inline std::uint64_t MixHash(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// Constants without pattern: the fractional digits of pi.
inline constexpr std::uint64_t kHashSeed = 0x243f6a8885a308d3U;
inline constexpr std::uint64_t kHashStep = 0x13198a2e03707344U;

[[nodiscard]] inline std::uint64_t TextHash(std::string_view text) {
  const char* at = text.data();
  std::size_t left = text.size();
  std::uint64_t hash = kHashSeed ^ left;
  for (; left > 8; left -= 8, at += 8) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof(word));
    hash = MixHash(hash ^ word, kHashStep);
  }
  std::uint64_t word = 0;
  if (left > 0) {
    std::memcpy(&word, at, left);
  }
  return MixHash(hash ^ word, kHashSeed | 1);
}

}  // namespace sagalog
