#include "projections/row_prints.h"

#include <cstring>
#include <random>

namespace sagalog {
namespace {

__extension__ using Product = unsigned __int128;

// Both halves of the product: each bit of the factors moves about half of the result.
std::uint64_t Mix(std::uint64_t a, std::uint64_t b) {
  const Product product = Product{a} * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t Load(const char* bytes, std::size_t size) {
  std::uint64_t word = 0;
  if (size > 0) {
    std::memcpy(&word, bytes, size);
  }
  return word;
}

std::uint64_t MixText(std::uint64_t seed, std::string_view text, std::uint64_t key) {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  const std::size_t size = text.size();
  for (; text.size() > 2 * kWord; text.remove_prefix(2 * kWord)) {
    seed = Mix(Load(text.data(), kWord) ^ key, Load(text.data() + kWord, kWord) ^ seed);
  }
  const std::size_t first = text.size() < kWord ? text.size() : kWord;
  const std::uint64_t last =
      Mix(Load(text.data(), first) ^ key, Load(text.data() + first, text.size() - first) ^ seed);
  return Mix(last ^ key, size ^ seed ^ last);
}

}  // namespace

RowPrintKeys RowPrintKeys::Random() {
  std::random_device device;
  RowPrintKeys keys;
  for (std::uint64_t& word : keys.words) {
    word = (std::uint64_t{device()} << 32 | device()) | 1;
  }
  return keys;
}

void RowPrints::Add(RowFamily family, std::string_view key, std::string_view value) {
  const auto place = static_cast<std::size_t>(family);
  for (std::size_t half = 0; half < 2; ++half) {
    const std::uint64_t secret = keys_.words[2 * half + 1];
    const std::uint64_t of_key = MixText(keys_.words[2 * half] + place, key, secret);
    sums_[place][half] += MixText(of_key, value, secret);
  }
}

}  // namespace sagalog
