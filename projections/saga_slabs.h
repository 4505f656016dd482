// Memory for sagas: no overhead for each, and given back when they are gone.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "projections/saga.h"

namespace sagalog {

// A slab is a block of places for sagas. It lies at a multiple of its size, so that a saga's slab
// follows from its address. Slabs with a free place are linked; one whose last saga leaves is
// freed.
class SagaSlabs {
 public:
  SagaSlabs() = default;
  // All sagas must be gone.
  ~SagaSlabs();
  SagaSlabs(const SagaSlabs&) = delete;
  SagaSlabs& operator=(const SagaSlabs&) = delete;

  [[nodiscard]] Saga* New(Saga saga);
  void Delete(Saga* saga);

 private:
  struct Slab;
  // A free place holds the next free one of its slab.
  struct FreePlace {
    FreePlace* next;
  };

  Slab* Grow();
  void Link(Slab* slab);
  void Unlink(Slab* slab);

  Slab* first_with_room_ = nullptr;
};

}  // namespace sagalog
