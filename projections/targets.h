// Which live sagas registered a compensation's target.
#pragma once

#include <cstdint>

#include "projections/hashed_sagas.h"

namespace sagalog {

class Targets {
 public:
  // Another saga than `self` that is not terminal and has registered the target and not settled it;
  // null = none. Unless `undoing_too`, compensating sagas are passed over.
  [[nodiscard]] Saga* OtherHolder(std::uint64_t target_hash, const Saga* self,
                                  bool undoing_too) const;

  // Lists what was registered since, or nothing any more once the saga is terminal.
  void Update(Saga& saga);
  void Remove(Saga& saga);

 private:
  [[nodiscard]] HashedSagas& ListOf(const Saga& saga);

  // Apart, so that a target that thousands undo is not searched for one that works on it.
  HashedSagas working_;
  HashedSagas undoing_;
};

}  // namespace sagalog
