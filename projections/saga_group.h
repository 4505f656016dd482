// A set of sagas that has mostly one member.
#pragma once

#include <cstdint>

#include <boost/unordered/unordered_flat_set.hpp>

#include "projections/packed_pointer.h"
#include "projections/saga.h"

namespace sagalog {

// Eight bytes for one saga, a table for more. Each saga once; insert and erase cost the same
// however many there are. A plain value, so that tables can move it: whoever holds it calls Free.
class SagaGroup {
 public:
  SagaGroup() = default;
  explicit SagaGroup(Saga* saga) { SetOne(saga); }

  void Free() {
    if (IsTable()) {
      delete Table();
    }
    bits_ = {};
  }

  [[nodiscard]] bool empty() const { return Bits() == 0; }
  [[nodiscard]] std::size_t size() const { return IsTable() ? Table()->size() : Bits() != 0; }

  void Insert(Saga* saga) {
    if (IsTable()) {
      Table()->insert(saga);
    } else if (Bits() == 0) {
      SetOne(saga);
    } else if (One() != saga) {
      SetBits(reinterpret_cast<std::uintptr_t>(new Sagas{One(), saga}) | kTable);
    }
  }

  // Nothing if it is no member.
  void Erase(Saga* saga) {
    if (!IsTable()) {
      if (One() == saga) {
        bits_ = {};
      }
      return;
    }
    Sagas* table = Table();
    table->erase(saga);
    if (table->size() == 1) {
      SetOne(*table->begin());
      delete table;
    }
  }

  // The first member for which `matches(saga)`, in no particular order; null = none.
  template <typename Predicate>
  [[nodiscard]] Saga* FindIf(const Predicate& matches) const {
    if (!IsTable()) {
      return Bits() != 0 && matches(*One()) ? One() : nullptr;
    }
    for (Saga* saga : *Table()) {
      if (matches(*saga)) {
        return saga;
      }
    }
    return nullptr;
  }

  // Its only member will be read soon.
  void Anticipate() const {
    if (!IsTable()) {
      const auto* bytes = reinterpret_cast<const char*>(One());
      for (std::size_t offset = 0; offset < sizeof(Saga); offset += 64) {
        __builtin_prefetch(bytes + offset);
      }
    }
  }

  template <typename Visitor>
  void ForEach(const Visitor& visit) const {
    static_cast<void>(FindIf([&](Saga& saga) {
      visit(saga);
      return false;
    }));
  }

 private:
  using Sagas = boost::unordered_flat_set<Saga*>;
  // Marks the address of a table: those of sagas are even.
  static constexpr std::uintptr_t kTable = 1;
  static_assert(alignof(Saga) > kTable);

  [[nodiscard]] std::uintptr_t Bits() const {
    return reinterpret_cast<std::uintptr_t>(bits_.get());
  }
  void SetBits(std::uintptr_t bits) { bits_ = PackedPointer<char>(reinterpret_cast<char*>(bits)); }
  void SetOne(Saga* saga) { SetBits(reinterpret_cast<std::uintptr_t>(saga)); }
  [[nodiscard]] bool IsTable() const { return (Bits() & kTable) != 0; }
  [[nodiscard]] Saga* One() const { return reinterpret_cast<Saga*>(Bits()); }
  [[nodiscard]] Sagas* Table() const { return reinterpret_cast<Sagas*>(Bits() & ~kTable); }

  PackedPointer<char> bits_;
};

}  // namespace sagalog
