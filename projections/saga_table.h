// The sagas in memory: by id, by the requests that are unique in the store, in planning order.
#pragma once

#include <cstdint>
#include <string_view>

#include "projections/hashed_sagas.h"
#include "projections/saga_order.h"
#include "projections/saga_slabs.h"

namespace sagalog {

// Owns its sagas; their addresses do not change.
class SagaTable {
 public:
  SagaTable() = default;
  ~SagaTable();
  SagaTable(const SagaTable&) = delete;
  SagaTable& operator=(const SagaTable&) = delete;

  [[nodiscard]] Saga* Find(std::string_view saga_id) const;
  // A saga will be looked up soon: hints for the processor's cache, of no other effect.
  void AnticipateSlot(std::string_view saga_id) const;
  void AnticipateSaga(std::string_view saga_id) const;
  void AnticipateRequest(std::uint64_t high, std::uint64_t low) const;
  // The saga that holds this request, if it is unique in the store (a plan's, a claim_next's).
  [[nodiscard]] Saga* FindByRequest(std::uint64_t high, std::uint64_t low) const;
  [[nodiscard]] const SagaOrder<BareEntry>& Planned() const { return planned_; }
  [[nodiscard]] std::size_t size() const { return planned_.size(); }

  // No saga with this id may be there.
  Saga& Add(Saga saga);
  // After each event of the saga: lists a request that is new.
  void ListNewestRequest(Saga& saga);
  void Remove(Saga& saga);
  // Puts a saga back into a state that it had before; its requests since are forgotten.
  void Restore(Saga& saga, Saga before);

 private:
  void ListRequest(const RequestRecord& request, Saga& saga);

  SagaSlabs slabs_;
  HashedSagas by_id_;
  HashedSagas by_request_;
  SagaOrder<BareEntry> planned_;
  // A command's saga is looked up several times in a row.
  mutable Saga* found_last_ = nullptr;
};

}  // namespace sagalog
