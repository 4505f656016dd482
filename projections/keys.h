// Who holds a natural key, and who held it last.
#pragma once

#include <string_view>

#include "projections/hashed_sagas.h"

namespace sagalog {

class Keys {
 public:
  [[nodiscard]] Saga* HolderOf(std::string_view key) const;
  // The newest generation that ended and is in memory.
  [[nodiscard]] Saga* NewestEndedOf(std::string_view key) const;

  // Lists the saga as its state says: a holder until it is terminal.
  void Update(Saga& saga);
  void Remove(Saga& saga);

 private:
  void ListEnded(Saga& saga, std::uint64_t hash);

  HashedSagas holders_;
  // One a key: an older generation gives way to a newer one.
  HashedSagas ended_;
};

}  // namespace sagalog
