// A pointer that needs no alignment, for entries of twelve bytes.
#pragma once

#include <cstdint>
#include <cstring>

namespace sagalog {

template <typename T>
class PackedPointer {
 public:
  PackedPointer() = default;
  explicit PackedPointer(T* pointer) { std::memcpy(halves_, &pointer, sizeof(pointer)); }

  [[nodiscard]] T* get() const {
    T* pointer;
    std::memcpy(&pointer, halves_, sizeof(pointer));
    return pointer;
  }

 private:
  static_assert(sizeof(T*) == 2 * sizeof(std::uint32_t));
  std::uint32_t halves_[2] = {0, 0};
};

}  // namespace sagalog
