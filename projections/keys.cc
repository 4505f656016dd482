#include "projections/keys.h"

#include "projections/text_hash.h"

namespace sagalog {
namespace {

Saga* FindByKey(const HashedSagas& sagas, std::string_view key) {
  return sagas.FindIf(TextHash(key), [&](const Saga& saga) { return saga.key == key; });
}

}  // namespace

Saga* Keys::HolderOf(std::string_view key) const { return FindByKey(holders_, key); }

Saga* Keys::NewestEndedOf(std::string_view key) const { return FindByKey(ended_, key); }

void Keys::Update(Saga& saga) {
  const bool holds = !saga.IsTerminal();
  if (saga.key.empty() || (holds ? saga.places.holds_key : saga.places.ended_of_key)) {
    return;
  }
  const std::uint64_t hash = TextHash(saga.key);
  if (holds) {
    holders_.Insert(hash, &saga);
    saga.places.holds_key = true;
    return;
  }
  if (saga.places.holds_key) {
    holders_.Erase(hash, &saga);
    saga.places.holds_key = false;
  }
  ListEnded(saga, hash);
}

void Keys::ListEnded(Saga& saga, std::uint64_t hash) {
  if (Saga* listed = NewestEndedOf(saga.key)) {
    if (listed->generation >= saga.generation) {
      return;
    }
    ended_.Erase(hash, listed);
    listed->places.ended_of_key = false;
  }
  ended_.Insert(hash, &saga);
  saga.places.ended_of_key = true;
}

void Keys::Remove(Saga& saga) {
  if (saga.places.holds_key) {
    holders_.Erase(TextHash(saga.key), &saga);
    saga.places.holds_key = false;
  }
  if (saga.places.ended_of_key) {
    ended_.Erase(TextHash(saga.key), &saga);
    saga.places.ended_of_key = false;
  }
}

}  // namespace sagalog
