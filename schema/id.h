// Numbers that must not be mixed up are types of their own.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace sagalog {

// A number with a meaning. It converts from and to its value only by name.
template <typename Tag>
class Id {
 public:
  constexpr Id() = default;
  constexpr explicit Id(std::uint64_t value) : value_(value) {}

  [[nodiscard]] constexpr std::uint64_t value() const { return value_; }
  [[nodiscard]] constexpr Id Next() const { return Id(value_ + 1); }
  [[nodiscard]] constexpr bool IsNone() const { return value_ == 0; }

  friend constexpr auto operator<=>(Id, Id) = default;

 private:
  std::uint64_t value_ = 0;
};

// The place of an event in the log, dense from 1. 0 = before the first event.
using Sequence = Id<struct SequenceTag>;
// How many events one saga has. 0 = there is no such saga.
using SagaVersion = Id<struct SagaVersionTag>;
// A fencing token: the sequence of the event that granted ownership plus the store's token offset.
// 0 = nobody holds the saga.
using Token = Id<struct TokenTag>;

}  // namespace sagalog

template <typename Tag>
struct std::hash<sagalog::Id<Tag>> {
  std::size_t operator()(sagalog::Id<Tag> id) const noexcept {
    return std::hash<std::uint64_t>()(id.value());
  }
};
