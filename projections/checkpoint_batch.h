// What one checkpoint writes, before it is written.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "schema/id.h"

namespace sagalog {

// The rows of each kind are a column family of their own. Values index the list of families.
enum class RowFamily : std::uint8_t {
  kMeta,         // one row: what is true of the store as a whole
  kLive,         // saga id -> saga and labels, of those in memory
  kEnded,        // saga id -> saga
  kByPlan,       // planned_sequence, 8 bytes big-endian -> saga id, of ended ones
  kKeys,         // key -> its newest ended generation
  kGenerations,  // key, NUL, generation as 4 bytes big-endian -> saga id
  kRequests,     // request id, 16 bytes -> saga id and sequence, of ended ones
};
inline constexpr std::size_t kRowFamilies = 7;
// The key of the one row of kMeta.
inline constexpr std::string_view kMetaRowKey = "meta";

// Rows to put and to delete, in order: a later one overrides an earlier one.
class CheckpointBatch {
 public:
  struct Row {
    RowFamily family;
    bool is_delete;
    std::string_view key;
    std::string_view value;
  };

  void Put(RowFamily family, std::string_view key, std::string_view value) {
    Append(family, false, key, value);
  }
  void Delete(RowFamily family, std::string_view key) { Append(family, true, key, {}); }

  // The meta row and the sequence it is of.
  void SetMeta(Sequence sequence, std::string meta) {
    sequence_ = sequence;
    meta_ = std::move(meta);
  }
  [[nodiscard]] Sequence sequence() const { return sequence_; }
  [[nodiscard]] std::string_view meta() const { return meta_; }

  // Visits the rows in their order.
  template <typename Visitor>
  void Visit(const Visitor& visit) const {
    for (const std::string& chunk : chunks_) {
      VisitChunk(chunk, visit);
    }
  }
  void Clear() { chunks_.clear(); }

 private:
  static constexpr std::size_t kChunkSize = 1U << 20;

  struct Head {
    RowFamily family;
    bool is_delete;
    std::uint16_t key_size;
    std::uint32_t value_size;
  };

  void Append(RowFamily family, bool is_delete, std::string_view key, std::string_view value);

  template <typename Visitor>
  static void VisitChunk(std::string_view left, const Visitor& visit) {
    while (!left.empty()) {
      Head head;
      left.copy(reinterpret_cast<char*>(&head), sizeof(head));
      left.remove_prefix(sizeof(head));
      visit(Row{head.family, head.is_delete, left.substr(0, head.key_size),
                left.substr(head.key_size, head.value_size)});
      left.remove_prefix(std::size_t{head.key_size} + head.value_size);
    }
  }

  Sequence sequence_;
  std::string meta_;
  std::vector<std::string> chunks_;
};

}  // namespace sagalog
