#include "projections/saga_slabs.h"

#include <cstdint>
#include <new>

#include "schema/check.h"

namespace sagalog {
namespace {

constexpr std::size_t kSlabSize = 32UL << 10;

}  // namespace

struct SagaSlabs::Slab {
  FreePlace* free = nullptr;
  std::size_t used = 0;
  // Places behind it were never used.
  std::size_t fresh = 0;
  Slab* previous = nullptr;
  Slab* next = nullptr;

  static constexpr std::size_t kPlaces = (kSlabSize - 5 * sizeof(void*)) / sizeof(Saga);

  [[nodiscard]] static Slab* Of(Saga* saga) {
    return reinterpret_cast<Slab*>(reinterpret_cast<std::uintptr_t>(saga) & ~(kSlabSize - 1));
  }
  [[nodiscard]] void* Take() {
    ++used;
    if (free != nullptr) {
      return std::exchange(free, free->next);
    }
    return reinterpret_cast<char*>(this + 1) + fresh++ * sizeof(Saga);
  }
};

SagaSlabs::~SagaSlabs() { CHECK(first_with_room_ == nullptr); }

Saga* SagaSlabs::New(Saga saga) {
  static_assert(sizeof(Slab) + Slab::kPlaces * sizeof(Saga) <= kSlabSize);
  Slab* slab = first_with_room_ != nullptr ? first_with_room_ : Grow();
  void* place = slab->Take();
  if (slab->used == Slab::kPlaces) {
    Unlink(slab);
  }
  return new (place) Saga(std::move(saga));
}

void SagaSlabs::Delete(Saga* saga) {
  Slab* slab = Slab::Of(saga);
  saga->~Saga();
  slab->free = new (saga) FreePlace{slab->free};
  if (slab->used-- == Slab::kPlaces) {
    Link(slab);
  }
  if (slab->used == 0) {
    Unlink(slab);
    ::operator delete(slab, std::align_val_t(kSlabSize));
  }
}

SagaSlabs::Slab* SagaSlabs::Grow() {
  auto* slab = new (::operator new(kSlabSize, std::align_val_t(kSlabSize))) Slab;
  Link(slab);
  return slab;
}

void SagaSlabs::Link(Slab* slab) {
  slab->previous = nullptr;
  slab->next = first_with_room_;
  if (first_with_room_ != nullptr) {
    first_with_room_->previous = slab;
  }
  first_with_room_ = slab;
}

void SagaSlabs::Unlink(Slab* slab) {
  (slab->previous != nullptr ? slab->previous->next : first_with_room_) = slab->next;
  if (slab->next != nullptr) {
    slab->next->previous = slab->previous;
  }
}

}  // namespace sagalog
