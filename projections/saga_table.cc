#include "projections/saga_table.h"

#include <utility>

#include "projections/text_hash.h"

namespace sagalog {
namespace {

std::uint64_t RequestHash(std::uint64_t high, std::uint64_t low) {
  return MixHash(high ^ kHashSeed, low ^ kHashStep);
}

}  // namespace

SagaTable::~SagaTable() {
  planned_.VisitAfter(Sequence(), [this](Saga& saga) {
    slabs_.Delete(&saga);
    return true;
  });
}

Saga* SagaTable::Find(std::string_view saga_id) const {
  if (found_last_ != nullptr && found_last_->id == saga_id) {
    return found_last_;
  }
  Saga* found =
      by_id_.FindIf(TextHash(saga_id), [&](const Saga& saga) { return saga.id == saga_id; });
  if (found != nullptr) {
    found_last_ = found;
  }
  return found;
}

void SagaTable::AnticipateSlot(std::string_view saga_id) const {
  by_id_.AnticipateSlot(TextHash(saga_id));
}

void SagaTable::AnticipateSaga(std::string_view saga_id) const {
  by_id_.AnticipateSaga(TextHash(saga_id));
}

void SagaTable::AnticipateRequest(std::uint64_t high, std::uint64_t low) const {
  by_request_.AnticipateSlot(RequestHash(high, low));
}

Saga* SagaTable::FindByRequest(std::uint64_t high, std::uint64_t low) const {
  return by_request_.FindIf(RequestHash(high, low), [&](const Saga& saga) {
    const RequestRecord* request = saga.FindRequest(high, low);
    return request != nullptr && request->store_wide;
  });
}

Saga& SagaTable::Add(Saga saga) {
  Saga& added = *slabs_.New(std::move(saga));
  by_id_.Insert(TextHash(added.id), &added);
  planned_.Insert(added);
  for (const RequestRecord& request : added.requests) {
    ListRequest(request, added);
  }
  return added;
}

void SagaTable::ListNewestRequest(Saga& saga) {
  if (!saga.requests.empty()) {
    ListRequest(saga.requests.back(), saga);
  }
}

void SagaTable::ListRequest(const RequestRecord& request, Saga& saga) {
  if (request.store_wide) {
    by_request_.Insert(RequestHash(request.high, request.low), &saga);
  }
}

void SagaTable::Restore(Saga& saga, Saga before) {
  for (const RequestRecord& request : saga.requests) {
    if (request.store_wide && before.FindRequest(request.high, request.low) == nullptr) {
      by_request_.Erase(RequestHash(request.high, request.low), &saga);
    }
  }
  saga = std::move(before);
}

void SagaTable::Remove(Saga& saga) {
  if (found_last_ == &saga) {
    found_last_ = nullptr;
  }
  by_id_.Erase(TextHash(saga.id), &saga);
  planned_.Erase(saga);
  for (const RequestRecord& request : saga.requests) {
    if (request.store_wide) {
      by_request_.Erase(RequestHash(request.high, request.low), &saga);
    }
  }
  slabs_.Delete(&saga);
}

}  // namespace sagalog
