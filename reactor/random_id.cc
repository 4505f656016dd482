#include "reactor/random_id.h"

#include <array>
#include <cstdint>
#include <random>

#include <fmt/format.h>

namespace sagalog {

std::string NewRandomId() {
  std::random_device random;
  std::array<std::uint32_t, 4> words{};
  for (std::uint32_t& word : words) {
    word = random();
  }
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:x}{:03x}-{:04x}{:08x}", words[0], words[1] >> 16,
                     words[1] & 0xfff, 8 + (words[2] >> 30), words[2] >> 16 & 0xfff,
                     words[2] & 0xffff, words[3]);
}

}  // namespace sagalog
