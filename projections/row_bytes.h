// The bytes of a row: numbers in as few bytes as they need, texts with their length before them.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "projections/interned_text.h"
#include "schema/id.h"
#include "schema/store_time.h"

namespace sagalog {

// Appends to a string it borrows: all of it when it goes away, and not before.
class RowWriter {
 public:
  explicit RowWriter(std::string& out) : out_(out) {}
  ~RowWriter() { Flush(); }
  RowWriter(const RowWriter&) = delete;
  RowWriter& operator=(const RowWriter&) = delete;

  // Seven bits a byte, the low ones first; the top bit says that more follow.
  void Number(std::uint64_t value) {
    Reserve(kNumberMax);
    std::size_t at = used_;
    for (; value >= 0x80; value >>= 7) {
      buffer_[at++] = static_cast<char>(value | 0x80);
    }
    buffer_[at++] = static_cast<char>(value);
    used_ = at;
  }
  // Numbers near zero of either sign are short.
  void Signed(std::int64_t value) {
    Number((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
  }
  // Eight bytes: for hashes, which are never short.
  void Fixed(std::uint64_t value) {
    Reserve(sizeof(value));
    for (std::size_t i = sizeof(value); i > 0; --i, value >>= 8) {
      buffer_[used_ + i - 1] = static_cast<char>(value);
    }
    used_ += sizeof(value);
  }
  void Byte(std::uint8_t value) {
    Reserve(1);
    buffer_[used_++] = static_cast<char>(value);
  }
  void Text(std::string_view text) {
    Number(text.size());
    if (text.size() > buffer_.size()) {
      Flush();
      out_.append(text);
      return;
    }
    Reserve(text.size());
    text.copy(buffer_.data() + used_, text.size());
    used_ += text.size();
  }
  void Text(const InternedText& text) { Text(text.view()); }
  void Time(StoreTime time) { Signed(ToMicros(time)); }
  template <typename Tag>
  void Number(Id<Tag> id) {
    Number(id.value());
  }

 private:
  static constexpr std::size_t kNumberMax = 10;

  void Reserve(std::size_t bytes) {
    if (buffer_.size() - used_ < bytes) {
      Flush();
    }
  }
  void Flush() {
    out_.append(buffer_.data(), used_);
    used_ = 0;
  }

  std::string& out_;
  // Most rows fit: appending to the string byte by byte would take several times as long.
  std::array<char, 256> buffer_;
  std::size_t used_ = 0;
};

// Reads what a RowWriter wrote. Trusts nothing: at the first thing wrong it fails, and gives zeros
// and empty texts from then on.
class RowReader {
 public:
  explicit RowReader(std::string_view bytes) : left_(bytes) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool AtEnd() const { return left_.empty(); }
  [[nodiscard]] std::string_view Left() const { return left_; }
  void Fail() {
    ok_ = false;
    left_ = {};
  }

  std::uint64_t Number() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const std::uint8_t byte = Byte();
      value |= std::uint64_t{byte & 0x7fU} << shift;
      if (shift == 63 && byte > 1) {
        break;
      }
      if (byte < 0x80) {
        return ok_ ? value : 0;
      }
    }
    Fail();
    return 0;
  }
  // Fails above `max`.
  template <std::unsigned_integral T>
  T NumberUpTo(T max) {
    const std::uint64_t value = Number();
    if (value > max) {
      Fail();
      return 0;
    }
    return static_cast<T>(value);
  }
  // How many elements follow, each of at least one byte: so damage cannot ask for much memory.
  std::size_t Count() {
    const std::uint64_t count = Number();
    if (count > left_.size()) {
      Fail();
      return 0;
    }
    return count;
  }
  std::int64_t Signed() {
    const std::uint64_t value = Number();
    return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
  }
  std::uint64_t Fixed() {
    std::uint64_t value = 0;
    for (int i = 0; i < 8; ++i) {
      value = value << 8 | Byte();
    }
    return value;
  }
  std::uint8_t Byte() {
    if (left_.empty()) {
      Fail();
      return 0;
    }
    const auto byte = static_cast<std::uint8_t>(left_.front());
    left_.remove_prefix(1);
    return byte;
  }
  // Fails above `last`, the last value of the enumeration.
  template <typename Enum>
  Enum OneOf(Enum last) {
    const std::uint8_t value = Byte();
    if (value > static_cast<std::uint8_t>(last)) {
      Fail();
      return Enum{};
    }
    return static_cast<Enum>(value);
  }
  std::string_view Text() {
    const std::size_t size = Count();
    const std::string_view text = left_.substr(0, size);
    left_.remove_prefix(size);
    return text;
  }
  StoreTime Time() { return TimeFromMicros(Signed()); }

 private:
  std::string_view left_;
  bool ok_ = true;
};

}  // namespace sagalog
