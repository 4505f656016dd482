// Which sagas each owner's incarnation holds, and on which boot of which host.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

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

  // What this incarnation holds, in the order of planning.
  [[nodiscard]] std::vector<const Saga*> HeldBy(const InternedText& owner) const;
  // The boots of the host that hold anything, in no order; unknown ones are left out.
  [[nodiscard]] std::vector<std::string> BootsOf(std::string_view host) const;
  [[nodiscard]] bool Holds(const HostBoot& place) const;
  // What all incarnations on this boot of the host hold, in the order of planning.
  [[nodiscard]] std::vector<const Saga*> HeldByBoot(std::string_view host,
                                                    std::string_view boot_id) const;

 private:
  using Sagas = std::vector<Saga*>;
  // One saga, or a list in which each knows its place: mostly an owner holds one. The list is
  // owned.
  struct Held {
    Saga* one = nullptr;
    Sagas* list = nullptr;
  };

  using Incarnations = boost::unordered_flat_set<InternedText, std::hash<InternedText>>;
  using Boots = boost::unordered_flat_map<std::string, Incarnations>;

  static std::vector<const Saga*> Sorted(const Held& held);
  [[nodiscard]] const Boots* FindHost(std::string_view host) const;
  void ListHost(const InternedText& owner);
  void UnlistHost(const InternedText& owner);
  void Insert(Saga& saga);
  void Erase(Saga& saga, const InternedText& owner);

  boost::unordered_flat_map<InternedText, Held, std::hash<InternedText>> held_;
  // Incarnations that hold something and say on which boot of which host.
  boost::unordered_flat_map<std::string, Boots> hosts_;
};

}  // namespace sagalog
