// The keys of the log's database. The whole layout: docs/log-format.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "schema/id.h"

namespace sagalog {

inline constexpr std::size_t kLogKeySize = 8;
static_assert(kLogKeySize == sizeof(std::uint64_t), "a key is one big-endian sequence");

// The format this program writes, and the newest it reads.
inline constexpr std::uint32_t kLogFormat = 1;
// No event has sequence 0: its key holds the format record instead.
inline constexpr Sequence kFormatRecord{0};
// The format record: these words and the format in decimal.
inline constexpr std::string_view kFormatWords = "sagalog log, format ";

// The key of one event. Big-endian, so that the order of keys is the order of events.
class LogKey {
 public:
  explicit LogKey(Sequence sequence) {
    for (std::size_t i = 0; i < kLogKeySize; ++i) {
      bytes_[i] = static_cast<char>(sequence.value() >> (8 * (kLogKeySize - 1 - i)));
    }
  }

  [[nodiscard]] std::string_view bytes() const { return {bytes_.data(), bytes_.size()}; }

  // Nothing for a key of another size, which is none of ours.
  [[nodiscard]] static std::optional<Sequence> Parse(std::string_view bytes) {
    if (bytes.size() != kLogKeySize) {
      return std::nullopt;
    }
    std::uint64_t value = 0;
    for (const char byte : bytes) {
      value = value << 8 | static_cast<unsigned char>(byte);
    }
    return Sequence(value);
  }

 private:
  std::array<char, kLogKeySize> bytes_;
};

}  // namespace sagalog
