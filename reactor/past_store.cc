#include "reactor/past_store.h"

#include <algorithm>
#include <limits>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "reactor/list_rows.h"
#include "reactor/random_id.h"

namespace sagalog {
namespace {

// Ended sagas read at once.
constexpr std::size_t kSliceSagas = 1000;

}  // namespace

Result<std::unique_ptr<PastStore>> PastStore::Open(const EventLog& log,
                                                   const std::filesystem::path& scratch) {
  const bool in_memory = log.Last().value() <= kEventsInMemoryMax;
  const std::filesystem::path folder =
      in_memory ? std::filesystem::path() : scratch / ("sagalog-past-" + NewRandomId());
  std::error_code error;
  if (!in_memory) {
    std::filesystem::create_directories(folder, error);
  }
  if (error) {
    return Status(Code::kIoError, fmt::format("{}: {}", folder.string(), error.message()));
  }
  std::unique_ptr<PastStore> store(new PastStore(log, folder));
  ASSIGN_OR_RETURN(store->rows_,
                   CheckpointStore::Open(folder, in_memory ? CheckpointStore::Mode::kInMemory
                                                           : CheckpointStore::Mode::kReadWrite));
  store->projections_ = std::make_unique<Projections>(*store->rows_);
  return store;
}

PastStore::~PastStore() {
  projections_.reset();
  rows_.reset();
  if (!folder_.empty()) {
    std::error_code error;
    std::filesystem::remove_all(folder_, error);
  }
}

bool PastStore::MayMoveTo(const PastPlace& place) const {
  const bool fits = !folder_.empty() || place.through.value() <= kEventsInMemoryMax;
  return fits && place.through >= place_.through && place.moment >= place_.moment;
}

Status PastStore::MoveTo(const PastPlace& place) {
  CHECK(place.through >= place_.through);
  if (place.moment < place_.moment) {
    return {Code::kCorruption,
            fmt::format("event {} is damaged: its time is before that of an event before it",
                        place.through.value())};
  }
  if (place.through > projections_->Applied()) {
    RETURN_IF_ERROR(Fold(log_, place.through, *projections_, rows_.get()));
  }
  place_ = place;
  return {};
}

Result<std::optional<SagaSnapshot>> PastStore::Find(std::string_view saga_id) const {
  if (const Saga* saga = projections_->Find(saga_id)) {
    return std::optional(TakeSnapshot(*projections_, *saga, place_.moment));
  }
  ASSIGN_OR_RETURN(const std::optional<Saga> ended, rows_->FindSaga(saga_id));
  if (!ended) {
    return std::optional<SagaSnapshot>();
  }
  return std::optional(TakeSnapshot(*projections_, *ended, place_.moment));
}

// Both lists are in the order of planning. Memory, where it has a saga, wins.
Status PastStore::VisitSagas(Sequence after, bool ended_too, const Visitor& visitor) const {
  constexpr Sequence kEnd(std::numeric_limits<std::uint64_t>::max());
  std::vector<Saga> ended;
  std::size_t next_ended = 0;
  Sequence read_through = ended_too ? after : kEnd;
  Status status;
  // Those of disk that were planned before `before`.
  const auto visit_ended = [&](Sequence before) -> Status {
    while (true) {
      for (; next_ended < ended.size(); ++next_ended) {
        const Saga& saga = ended[next_ended];
        if (saga.planned_sequence >= before) {
          return {};
        }
        if (projections_->Find(saga.id) == nullptr) {
          RETURN_IF_ERROR(visitor(TakeSnapshot(*projections_, saga, place_.moment)));
        }
      }
      if (read_through == kEnd) {
        return {};
      }
      ASSIGN_OR_RETURN(ended, rows_->EndedAfter(read_through, kSliceSagas));
      next_ended = 0;
      read_through = ended.size() < kSliceSagas ? kEnd : ended.back().planned_sequence;
    }
  };
  projections_->VisitPlannedAfter(after, [&](const Saga& saga) {
    if (!ended_too && saga.IsSettled()) {
      return true;
    }
    status = visit_ended(saga.planned_sequence);
    if (status.ok()) {
      status = visitor(TakeSnapshot(*projections_, saga, place_.moment));
    }
    return status.ok();
  });
  RETURN_IF_ERROR(status);
  return visit_ended(kEnd);
}

std::vector<answers::StaleRowT> PastStore::Stale() const {
  std::vector<answers::StaleRowT> rows;
  for (const Saga* saga :
       projections_->Stale(place_.moment, std::numeric_limits<std::size_t>::max())) {
    rows.push_back(StaleRowOf(*projections_, *saga, place_.moment));
  }
  return rows;
}

std::vector<answers::QueueT> PastStore::Queues() const {
  std::vector<answers::QueueT> rows;
  for (const std::string& name : projections_->QueueNames()) {
    rows.push_back(QueueRowOf(*projections_, name, place_.moment));
  }
  return rows;
}

}  // namespace sagalog
