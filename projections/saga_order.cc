#include "projections/saga_order.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "schema/check.h"

namespace sagalog {
namespace {

constexpr auto kBefore = [](const auto& entry, std::uint64_t planned) {
  return entry.planned() < planned;
};

}  // namespace

template <typename Entry>
SagaOrder<Entry>::Leaves::iterator SagaOrder<Entry>::LeafFrom(std::uint64_t planned) {
  auto leaf = leaves_.upper_bound(planned);
  leaf = leaf == leaves_.begin() ? leaf : std::prev(leaf);
  if (leaf->first <= planned) {
    return leaf;
  }
  auto node = leaves_.extract(leaf);
  node.key() = planned;
  return leaves_.insert(std::move(node)).position;
}

template <typename Entry>
void SagaOrder<Entry>::Insert(Saga& saga) {
  const Entry entry(saga);
  const std::uint64_t planned = entry.planned();
  ++size_;
  if (leaves_.empty()) {
    leaves_[planned].push_back(entry);
    return;
  }
  const auto last = std::prev(leaves_.end());
  if (!last->second.empty() && last->second.back().planned() < planned) {
    if (last->second.size() < kLeafMax) {
      last->second.push_back(entry);
    } else {
      leaves_.emplace_hint(leaves_.end(), planned, Leaf())->second.push_back(entry);
    }
    return;
  }
  const auto leaf = LeafFrom(planned);
  Leaf& entries = leaf->second;
  entries.insert(std::lower_bound(entries.begin(), entries.end(), planned, kBefore), entry);
  if (entries.size() > kLeafMax) {
    Split(leaf);
  }
}

template <typename Entry>
void SagaOrder<Entry>::Erase(const Saga& saga) {
  const std::uint64_t planned = saga.planned_sequence.value();
  CHECK(size_ > 0);
  const auto leaf = LeafFrom(planned);
  Leaf& entries = leaf->second;
  const auto at = std::lower_bound(entries.begin(), entries.end(), planned, kBefore);
  CHECK(at != entries.end() && at->saga == &saga);
  entries.erase(at);
  --size_;
  if (entries.size() < kLeafMax / 4 && leaves_.size() > 1) {
    MergeWithNeighbours(leaf);
  }
}

template <typename Entry>
void SagaOrder<Entry>::Split(typename Leaves::iterator leaf) {
  Leaf& entries = leaf->second;
  const auto middle = entries.begin() + static_cast<std::ptrdiff_t>(entries.size() / 2);
  leaves_.emplace_hint(std::next(leaf), middle->planned(), Leaf(middle, entries.end()));
  entries.erase(middle, entries.end());
}

template <typename Entry>
void SagaOrder<Entry>::MergeWithNeighbours(typename Leaves::iterator leaf) {
  const auto fits = [](const Leaf& a, const Leaf& b) {
    return a.size() + b.size() <= kLeafMax / 2;
  };
  const auto take_over = [this](auto into, auto from) {
    into->second.insert(into->second.end(), from->second.begin(), from->second.end());
    leaves_.erase(from);
  };
  if (leaf->second.empty()) {
    leaves_.erase(leaf);
    return;
  }
  if (const auto next = std::next(leaf);
      next != leaves_.end() && fits(leaf->second, next->second)) {
    take_over(leaf, next);
  }
  if (leaf != leaves_.begin() && fits(std::prev(leaf)->second, leaf->second)) {
    take_over(std::prev(leaf), leaf);
  }
}

template class SagaOrder<KeyedEntry>;
template class SagaOrder<BareEntry>;

}  // namespace sagalog
