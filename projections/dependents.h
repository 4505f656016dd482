// Which sagas wait for which.
#pragma once

#include <string_view>
#include <vector>

#include "projections/hashed_sagas.h"

namespace sagalog {

class Dependents {
 public:
  // Lists the saga under each of its dependencies until it is terminal.
  void Update(Saga& saga);
  void Remove(Saga& saga);

  // Those that are not terminal and for which the dependency has not ended, in no order.
  [[nodiscard]] std::vector<Saga*> WaitingFor(std::string_view saga_id) const;

 private:
  HashedSagas by_dependency_;
};

}  // namespace sagalog
