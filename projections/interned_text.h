// One copy of each text that many sagas share: owners, queues, stages, compensation ids.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace sagalog {

// A shared, immutable text in eight bytes. The empty text costs nothing. The memory of a text goes
// with its last holder. Equal texts are the same object, so comparing is one instruction.
// Thread-safe like std::shared_ptr: distinct holders of one text may be used from any thread.
class InternedText {
 public:
  InternedText() = default;
  explicit InternedText(std::string_view text);
  InternedText(const InternedText& other) noexcept;
  InternedText(InternedText&& other) noexcept : node_(other.node_) { other.node_ = nullptr; }
  InternedText& operator=(InternedText other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~InternedText();

  [[nodiscard]] std::string_view view() const;
  [[nodiscard]] std::string str() const { return std::string(view()); }
  [[nodiscard]] bool empty() const { return node_ == nullptr; }

  friend bool operator==(const InternedText& a, const InternedText& b) {
    return a.node_ == b.node_;
  }
  [[nodiscard]] std::size_t Hash() const { return std::hash<const void*>()(node_); }

  // How many distinct texts are held by the process: for tests and statistics.
  [[nodiscard]] static std::size_t CountDistinct();

 private:
  friend class TextPool;
  struct Node;
  Node* node_ = nullptr;
};

}  // namespace sagalog

template <>
struct std::hash<sagalog::InternedText> {
  std::size_t operator()(const sagalog::InternedText& text) const noexcept { return text.Hash(); }
};
