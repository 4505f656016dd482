// Which live sagas registered a compensation's target.
#pragma once

#include <cstdint>

#include "projections/hashed_sagas.h"

namespace sagalog {

class Targets {
 public:
  // Another saga than `self` that is not terminal and has registered the target and not settled it;
  // null = none. With `unshared_only`, registrations that share it are passed over.
  [[nodiscard]] Saga* OtherHolder(std::uint64_t target_hash, const Saga* self,
                                  bool unshared_only) const;

  // Lists what was registered since, or nothing any more once the saga is terminal.
  void Update(Saga& saga);
  void Remove(Saga& saga);

 private:
  // Apart, so that a target that thousands share is not searched for one that does not.
  HashedSagas unshared_;
  HashedSagas shared_;
};

}  // namespace sagalog
