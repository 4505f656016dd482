// A vector in eight bytes, for lists that most sagas have none or few of.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace sagalog {

// Like std::vector, as far as it goes; size and capacity stand before the elements on the heap.
// Growing adds a half, so that a list that grew once wastes little.
template <typename T>
class CompactVector {
 public:
  using value_type = T;
  using iterator = T*;
  using const_iterator = const T*;

  CompactVector() = default;
  CompactVector(const CompactVector& other) {
    reserve(other.size());
    for (const T& value : other) {
      push_back(value);
    }
  }
  CompactVector(CompactVector&& other) noexcept : head_(std::exchange(other.head_, nullptr)) {}
  CompactVector& operator=(CompactVector other) noexcept {
    std::swap(head_, other.head_);
    return *this;
  }
  ~CompactVector() { Free(); }

  [[nodiscard]] std::size_t size() const { return head_ == nullptr ? 0 : head_->size; }
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] std::size_t capacity() const { return head_ == nullptr ? 0 : head_->capacity; }
  [[nodiscard]] T* data() { return head_ == nullptr ? nullptr : Elements(head_); }
  [[nodiscard]] const T* data() const { return head_ == nullptr ? nullptr : Elements(head_); }
  [[nodiscard]] T* begin() { return data(); }
  [[nodiscard]] T* end() { return data() + size(); }
  [[nodiscard]] const T* begin() const { return data(); }
  [[nodiscard]] const T* end() const { return data() + size(); }
  [[nodiscard]] T& operator[](std::size_t i) { return data()[i]; }
  [[nodiscard]] const T& operator[](std::size_t i) const { return data()[i]; }
  [[nodiscard]] T& back() { return data()[size() - 1]; }
  [[nodiscard]] const T& back() const { return data()[size() - 1]; }

  void reserve(std::size_t capacity_wanted) {
    if (capacity_wanted <= capacity()) {
      return;
    }
    auto* grown = static_cast<Head*>(::operator new(sizeof(Head) + capacity_wanted * sizeof(T)));
    new (grown)
        Head{static_cast<std::uint32_t>(size()), static_cast<std::uint32_t>(capacity_wanted)};
    std::uninitialized_move(begin(), end(), Elements(grown));
    Free();
    head_ = grown;
  }

  void push_back(T value) { emplace_back(std::move(value)); }
  template <typename... Arguments>
  T& emplace_back(Arguments&&... arguments) {
    if (size() == capacity()) {
      reserve(size() + size() / 2 + 1);
    }
    T* added = new (Elements(head_) + head_->size) T(std::forward<Arguments>(arguments)...);
    ++head_->size;
    return *added;
  }

  void erase(const T* at) {
    T* removed = begin() + (at - begin());
    std::move(removed + 1, end(), removed);
    Shorten(1);
  }
  // Like std::erase_if.
  template <typename Predicate>
  void EraseIf(const Predicate& matches) {
    Shorten(static_cast<std::size_t>(end() - std::remove_if(begin(), end(), matches)));
  }

 private:
  static_assert(std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T>);
  struct alignas(T) Head {
    std::uint32_t size;
    std::uint32_t capacity;
  };

  static T* Elements(Head* head) { return reinterpret_cast<T*>(head + 1); }

  void Shorten(std::size_t by) {
    if (by > 0) {
      std::destroy(end() - by, end());
      head_->size -= static_cast<std::uint32_t>(by);
    }
  }
  void Free() {
    if (head_ != nullptr) {
      std::destroy(begin(), end());
      ::operator delete(head_);
    }
  }

  Head* head_ = nullptr;
};

}  // namespace sagalog
