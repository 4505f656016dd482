// Sagas with compensations owed or failed, by the time since which they owe them.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "projections/saga.h"

namespace sagalog {

class CompensationBacklog {
 public:
  // Lists the saga while it owes something.
  void Update(Saga& saga);
  void Remove(Saga& saga);

  // By the time, then by planning.
  [[nodiscard]] std::vector<const Saga*> First(std::size_t limit) const;

 private:
  // Since when, and planned_sequence.
  using Place = std::pair<std::int64_t, std::uint64_t>;

  std::map<Place, Saga*> sagas_;
  boost::unordered_flat_map<const Saga*, Place> places_;
};

}  // namespace sagalog
