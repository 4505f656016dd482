#include "projections/interned_text.h"

#include <array>
#include <cstring>
#include <mutex>
#include <new>

#include <boost/unordered/unordered_flat_set.hpp>

#include "projections/text_hash.h"

namespace sagalog {

// The characters follow the node in the same allocation.
struct InternedText::Node {
  std::atomic<std::uint32_t> holders;
  std::uint32_t size;
  std::uint64_t hash;

  [[nodiscard]] char* text() { return reinterpret_cast<char*>(this + 1); }
  [[nodiscard]] std::string_view view() { return {text(), size}; }
};

// All texts of the process. Lives for ever: holders may outlive any static object.
class TextPool {
 public:
  using Node = InternedText::Node;

  static TextPool& Instance() {
    static TextPool& pool = *new TextPool;
    return pool;
  }

  Node* Hold(std::string_view text) {
    const Sought sought{text, TextHash(text)};
    Shard& shard = ShardOf(sought.hash);
    const std::lock_guard lock(shard.mutex);
    if (const auto found = shard.nodes.find(sought); found != shard.nodes.end()) {
      (*found)->holders.fetch_add(1, std::memory_order_relaxed);
      return *found;
    }
    void* memory = ::operator new(sizeof(Node) + text.size());
    Node* node = new (memory) Node{1, static_cast<std::uint32_t>(text.size()), sought.hash};
    std::memcpy(node->text(), text.data(), text.size());
    shard.nodes.insert(node);
    return node;
  }

  void LetGo(Node* node) {
    // Only under the lock does a count fall to zero, so that Hold never meets a dying node.
    std::uint32_t holders = node->holders.load(std::memory_order_relaxed);
    while (holders > 1) {
      if (node->holders.compare_exchange_weak(holders, holders - 1, std::memory_order_release,
                                              std::memory_order_relaxed)) {
        return;
      }
    }
    Shard& shard = ShardOf(node->hash);
    {
      const std::lock_guard lock(shard.mutex);
      if (node->holders.fetch_sub(1, std::memory_order_acq_rel) != 1) {
        return;
      }
      shard.nodes.erase(node);
    }
    node->~Node();
    ::operator delete(node);
  }

  std::size_t Count() {
    std::size_t count = 0;
    for (Shard& shard : shards_) {
      const std::lock_guard lock(shard.mutex);
      count += shard.nodes.size();
    }
    return count;
  }

 private:
  struct Sought {
    std::string_view text;
    std::uint64_t hash;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const Sought& sought) const { return sought.hash; }
    std::size_t operator()(const Node* node) const { return node->hash; }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(Node* a, Node* b) const { return a == b; }
    bool operator()(const Sought& a, Node* b) const { return a.text == b->view(); }
    bool operator()(Node* a, const Sought& b) const { return b.text == a->view(); }
  };
  // Threads that work on different texts rarely meet.
  static constexpr std::size_t kShards = 64;
  struct alignas(64) Shard {
    std::mutex mutex;
    boost::unordered_flat_set<Node*, Hash, Equal> nodes;
  };

  Shard& ShardOf(std::uint64_t hash) { return shards_[hash >> 58]; }

  std::array<Shard, kShards> shards_;
};

InternedText::InternedText(std::string_view text)
    : node_(text.empty() ? nullptr : TextPool::Instance().Hold(text)) {}

InternedText::InternedText(const InternedText& other) noexcept : node_(other.node_) {
  if (node_ != nullptr) {
    node_->holders.fetch_add(1, std::memory_order_relaxed);
  }
}

InternedText::~InternedText() {
  if (node_ != nullptr) {
    TextPool::Instance().LetGo(node_);
  }
}

std::string_view InternedText::view() const {
  return node_ == nullptr ? std::string_view() : node_->view();
}

std::size_t InternedText::CountDistinct() { return TextPool::Instance().Count(); }

}  // namespace sagalog
