#include "reactor/past_looks.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "reactor/asked_place.h"
#include "reactor/list_rows.h"
#include "reactor/page_cursor.h"
#include "reactor/past_store.h"
#include "reactor/saga_view.h"
#include "reactor/store_engine.h"

namespace sagalog {
namespace {

// A thread that looks back, or waits for its turn to.
class Looking {
 public:
  explicit Looking(std::atomic<std::size_t>& count)
      : count_(count), taken_(count.fetch_add(1) < kPastLooksMax) {}
  ~Looking() { count_.fetch_sub(1); }
  Looking(const Looking&) = delete;
  Looking& operator=(const Looking&) = delete;
  [[nodiscard]] bool taken() const { return taken_; }

 private:
  std::atomic<std::size_t>& count_;
  const bool taken_;
};

Result<PastPlace> PlaceOf(Store::Engine& engine, const PastMoment& at) {
  Sequence applied;
  StoreTime now;
  RETURN_IF_ERROR(engine.RunInTurn([&](const Decider& decider) {
    applied = decider.Applied();
    now = decider.now();
  }));
  const EventLog& log = engine.log();
  ASSIGN_OR_RETURN(const PastPlace place,
                   FindAskedPlace(log, std::min(applied, log.Last()), at, now));
  if (place.through.IsNone()) {
    ASSIGN_OR_RETURN(const StoredEvent first, log.Read(Sequence(1)));
    return Status(Code::kInvalidArgument, fmt::format("at: the log begins at {}",
                                                      FormatTime(TimeFromMicros(first->time()))));
  }
  return place;
}

// A page of what PastStore visits, in its order.
Result<answers::SagaPageT> PageOf(const EventLog& log, const PastStore& then,
                                  const SagaQuery& query) {
  ASSIGN_OR_RETURN(const std::uint64_t after, ParseCursor(query.cursor));
  answers::SagaPageT page;
  page.sequence = then.place().through.value();
  SagaViewer viewer(log);
  Sequence last_shown;
  // Ends the visit; told apart from errors by the cursor.
  const Status full(Code::kCancelled, "the page is full");
  const Status visited =
      then.VisitSagas(Sequence(after), true, [&](const SagaSnapshot& snapshot) -> Status {
        const Saga& saga = snapshot.saga;
        if (!MatchesButForLabel(saga, query)) {
          return {};
        }
        viewer.Forget();
        if (!query.label_name.empty()) {
          ASSIGN_OR_RETURN(const bool labelled,
                           viewer.HasLabel(saga, query.label_name, query.label_value));
          if (!labelled) {
            return {};
          }
        }
        if (page.items.size() == PageLimit(query.limit)) {
          page.cursor = std::to_string(last_shown.value());
          return full;
        }
        ASSIGN_OR_RETURN(auto view, viewer.View(snapshot));
        page.items.push_back(std::move(view));
        last_shown = saga.planned_sequence;
        return {};
      });
  if (!visited.ok() && page.cursor.empty()) {
    return visited;
  }
  return page;
}

}  // namespace

PastLooks::PastLooks(const EventLog& log) : log_(log) {}

PastLooks::~PastLooks() = default;

Status PastLooks::At(const PastPlace& place, const Look& look) {
  const Looking looking(looking_);
  if (!looking.taken()) {
    return Status(Code::kOverloaded,
                  fmt::format("{} others look back already: ask again in a moment", kPastLooksMax));
  }
  const std::lock_guard lock(mutex_);
  if (const Status moved = MoveTo(place); !moved.ok()) {
    then_.reset();
    return moved;
  }
  const Result<bool> more = look(*then_);
  if (!more.ok() || !*more) {
    then_.reset();
  }
  return more.status();
}

Status PastLooks::MoveTo(const PastPlace& place) {
  if (then_ == nullptr || !then_->MayMoveTo(place)) {
    then_.reset();
    std::error_code error;
    const std::filesystem::path scratch = std::filesystem::temp_directory_path(error);
    ASSIGN_OR_RETURN(then_, PastStore::Open(log_, error ? "/tmp" : scratch));
  }
  return then_->MoveTo(place);
}

Status CopyList(Store& store, const std::optional<PastMoment>& at, ListReading& reading) {
  Store::Engine& engine = Store::Engine::Of(store);
  if (!at) {
    return engine.RunInTurn(
        [&](const Decider& decider) { reading.Copy(decider.projections(), decider.now()); });
  }
  ASSIGN_OR_RETURN(const PastPlace place, PlaceOf(engine, *at));
  return engine.past_looks().At(place, [&](const PastStore& then) -> Result<bool> {
    reading.Copy(then.projections(), then.place().moment);
    return !reading.cursor().empty();
  });
}

Result<PastSagas> ListThen(Store& store, const PastMoment& at, const SagaQuery& query) {
  Store::Engine& engine = Store::Engine::Of(store);
  ASSIGN_OR_RETURN(const PastPlace place, PlaceOf(engine, at));
  PastSagas sagas;
  sagas.time = place.moment;
  RETURN_IF_ERROR(engine.past_looks().At(place, [&](const PastStore& then) -> Result<bool> {
    ASSIGN_OR_RETURN(sagas.page, PageOf(engine.log(), then, query));
    return !sagas.page.cursor.empty();
  }));
  return sagas;
}

}  // namespace sagalog
