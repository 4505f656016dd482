#include "tests/native/linearizability.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <utility>

namespace sagalog {
namespace {

// Tries each operation that may come next, and remembers what was tried (Wing and Gong).
class Search {
 public:
  explicit Search(const std::vector<StageOperation>& history) : history_(history) {}

  [[nodiscard]] bool From(std::uint64_t done, const std::string& stage) {
    if (done == All()) {
      return true;
    }
    if (!tried_.emplace(done, stage).second) {
      return false;
    }
    std::uint64_t first_answer = UINT64_MAX;
    for (std::size_t i = 0; i < history_.size(); ++i) {
      if ((done >> i & 1) == 0) {
        first_answer = std::min(first_answer, history_[i].answered);
      }
    }
    for (std::size_t i = 0; i < history_.size(); ++i) {
      const StageOperation& one = history_[i];
      if ((done >> i & 1) != 0 || one.asked > first_answer || !Explains(one, stage)) {
        continue;
      }
      if (From(done | std::uint64_t{1} << i, one.swapped ? one.next : stage)) {
        return true;
      }
    }
    return false;
  }

 private:
  [[nodiscard]] std::uint64_t All() const {
    return history_.size() == 64 ? UINT64_MAX : (std::uint64_t{1} << history_.size()) - 1;
  }
  [[nodiscard]] static bool Explains(const StageOperation& one, const std::string& stage) {
    if (one.swaps && one.swapped) {
      return stage == one.expected;
    }
    return stage == one.seen && (!one.swaps || stage != one.expected);
  }

  const std::vector<StageOperation>& history_;
  std::set<std::pair<std::uint64_t, std::string>> tried_;
};

}  // namespace

bool IsLinearizable(const std::vector<StageOperation>& history, const std::string& initial) {
  return Search(history).From(0, initial);
}

}  // namespace sagalog
