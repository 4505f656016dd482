// Live sagas by label.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "projections/saga_group.h"

namespace sagalog {

// Labels are facts of the plan; only this index keeps them in memory, one text for all sagas that
// carry the same, until the saga has ended and is settled.
class Labels {
 public:
  Labels() = default;
  ~Labels();
  Labels(const Labels&) = delete;
  Labels& operator=(const Labels&) = delete;

  // Adds a label of the saga.
  void Add(Saga& saga, std::string_view name, std::string_view value);
  void Remove(Saga& saga);

  // In no particular order.
  [[nodiscard]] std::vector<const Saga*> With(std::string_view name, std::string_view value) const;

  // Calls `visit(name, value)` for each label of the saga, in the order of their adding.
  template <typename Visitor>
  void VisitOf(const Saga& saga, const Visitor& visit) const {
    const auto found = of_saga_.find(&saga);
    if (found == of_saga_.end()) {
      return;
    }
    for (const Label* label : found->second) {
      const std::string_view text = label->first;
      const std::size_t end = text.find('\0');
      visit(text.substr(0, end), text.substr(end + 1));
    }
  }
  [[nodiscard]] std::size_t CountOf(const Saga& saga) const;

 private:
  // Name, NUL, value: no name holds a NUL.
  using Sagas = std::unordered_map<std::string, SagaGroup>;
  using Label = Sagas::value_type;

  Sagas sagas_;
  boost::unordered_flat_map<const Saga*, std::vector<Label*>> of_saga_;
};

}  // namespace sagalog
