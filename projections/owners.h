// Which sagas each owner's incarnation holds.
#pragma once

#include <cstdint>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "projections/saga.h"

namespace sagalog {

class Owners {
 public:
  Owners() = default;
  ~Owners();
  Owners(const Owners&) = delete;
  Owners& operator=(const Owners&) = delete;

  // Lists the saga under its owner while somebody holds it. `owner_before` is the owner it had when
  // it was last updated.
  void Update(Saga& saga, const InternedText& owner_before);
  void Remove(Saga& saga);

  // Calls `visit(owner, sagas)` for each, the sagas in the order of planning, owners in none.
  template <typename Visitor>
  void Visit(const Visitor& visit) const {
    for (const auto& [owner, held] : held_) {
      const std::vector<const Saga*> sagas = Sorted(held);
      visit(owner, sagas);
    }
  }

 private:
  using Sagas = std::vector<Saga*>;
  // One saga, or a list in which each knows its place: mostly an owner holds one. The list is
  // owned.
  struct Held {
    Saga* one = nullptr;
    Sagas* list = nullptr;
  };

  static std::vector<const Saga*> Sorted(const Held& held);
  void Insert(Saga& saga);
  void Erase(Saga& saga, const InternedText& owner);

  boost::unordered_flat_map<InternedText, Held, std::hash<InternedText>> held_;
};

}  // namespace sagalog
