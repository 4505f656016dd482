// Sagas in the order of their planning.
#pragma once

#include <cstdint>
#include <iterator>
#include <map>
#include <vector>

#include "projections/saga.h"

namespace sagalog {

// What a SagaOrder keeps of a saga. With its place beside it, a search touches no other saga.
struct KeyedEntry {
  explicit KeyedEntry(Saga& one) : saga(&one), place(one.planned_sequence.value()) {}
  [[nodiscard]] std::uint64_t planned() const { return place; }

  Saga* saga;
  std::uint64_t place;
};

// Half the memory, for the order of all sagas: they join at its end.
struct BareEntry {
  explicit BareEntry(Saga& one) : saga(&one) {}
  [[nodiscard]] std::uint64_t planned() const { return saga->planned_sequence.value(); }

  Saga* saga;
};

// Sorted by planned_sequence, in leaves of neighbours: cheap at both ends (planning adds at the
// end, claiming takes from the front) and logarithmic in between.
template <typename Entry>
class SagaOrder {
 public:
  // The saga must not be there.
  void Insert(Saga& saga);
  // The saga must be there.
  void Erase(const Saga& saga);

  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  // Null = empty.
  [[nodiscard]] Saga* First() const {
    return size_ == 0 ? nullptr : leaves_.begin()->second.front().saga;
  }

  // Visits what was planned after `after`, until the visitor says false. The order must not change
  // meanwhile.
  template <typename Visitor>
  void VisitAfter(Sequence after, const Visitor& visit) const {
    for (auto it = LeafOf(after.value()); it != leaves_.end(); ++it) {
      for (const Entry& entry : it->second) {
        if (entry.planned() > after.value() && !visit(*entry.saga)) {
          return;
        }
      }
    }
  }

 private:
  using Leaf = std::vector<Entry>;
  using Leaves = std::map<std::uint64_t, Leaf>;
  static constexpr std::size_t kLeafMax = 128;

  // The leaf that holds or would hold `planned`: the last that begins at or before it, else the
  // first. end() when there is none.
  [[nodiscard]] typename Leaves::const_iterator LeafOf(std::uint64_t planned) const {
    const auto leaf = leaves_.upper_bound(planned);
    return leaf == leaves_.begin() ? leaf : std::prev(leaf);
  }
  // The same, and the leaf then begins at or before `planned`. There must be a leaf.
  [[nodiscard]] typename Leaves::iterator LeafFrom(std::uint64_t planned);
  void Split(typename Leaves::iterator leaf);
  void MergeWithNeighbours(typename Leaves::iterator leaf);

  // By a number that is at most the first of the leaf and above the last of the leaf before. Only
  // the last leaf left may be empty.
  Leaves leaves_;
  std::size_t size_ = 0;
};

extern template class SagaOrder<KeyedEntry>;
extern template class SagaOrder<BareEntry>;

}  // namespace sagalog
