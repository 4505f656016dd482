// Queries over all sagas, live and ended, in the order of their planning.
#include <algorithm>
#include <map>
#include <utility>

#include "reactor/list_rows.h"
#include "reactor/page_cursor.h"
#include "reactor/saga_view.h"
#include "reactor/store_engine.h"

namespace sagalog {
namespace {

// Sagas looked at in one turn, and read from disk at once: commands wait for no more.
constexpr std::size_t kSliceSagas = 2000;
constexpr Sequence kEnd(~0ULL);
// A page of large sagas ends early, and its cursor leads on: what a page holds in memory is
// bounded.
constexpr std::size_t kPageBytesMax = 16UL << 20;

// About what the texts of a saga take in an answer.
std::size_t TextBytes(const answers::SagaT& saga) {
  std::size_t bytes =
      saga.payload.size() + saga.progress.size() + saga.reason.size() + saga.result.size();
  for (const auto& compensation : saga.compensations) {
    bytes += compensation->target.size() + compensation->detail.size();
    for (const auto& parameter : compensation->params) {
      bytes += parameter->name.size() + parameter->value.size();
    }
  }
  for (const auto& effect : saga.effects) {
    bytes += effect->result.size();
  }
  for (const auto& label : saga.labels) {
    bytes += label->name.size() + label->value.size();
  }
  return bytes;
}

// Matching sagas by their planning; complete up to and with `through`.
struct Slice {
  std::map<Sequence, SagaSnapshot> sagas;
  Sequence through = kEnd;
};

class Lister {
 public:
  Lister(Store::Engine& engine, const SagaQuery& query)
      : engine_(engine), query_(query), viewer_(engine.log()) {}

  Result<answers::SagaPageT> List() {
    ASSIGN_OR_RETURN(const std::uint64_t cursor, ParseCursor(query_.cursor));
    after_ = Sequence(cursor);
    answers::SagaPageT page;
    std::size_t bytes = 0;
    const std::size_t limit = PageLimit(query_.limit);
    while (after_ != kEnd) {
      ASSIGN_OR_RETURN(const Slice slice, query_.key.empty() ? NextSlice() : AllOfKey());
      for (const auto& [planned, snapshot] : slice.sagas) {
        ASSIGN_OR_RETURN(const bool shown, IsShown(snapshot.saga));
        if (!shown) {
          continue;
        }
        if (page.items.size() == limit || bytes > kPageBytesMax) {
          page.cursor = std::to_string(last_shown_.value());
          page.sequence = sequence_.value();
          return page;
        }
        ASSIGN_OR_RETURN(auto view, viewer_.View(snapshot));
        bytes += TextBytes(*view);
        page.items.push_back(std::move(view));
        last_shown_ = planned;
        viewer_.Forget();
      }
      after_ = slice.through;
    }
    page.sequence = sequence_.value();
    return page;
  }

 private:
  Result<bool> IsShown(const Saga& saga) {
    if (query_.label_name.empty()) {
      return true;
    }
    return viewer_.HasLabel(saga, query_.label_name, query_.label_value);
  }

  // Notes what the first turn of the query has seen: all of it is in the answer.
  void Saw(const Decider& decider) {
    if (sequence_.IsNone()) {
      sequence_ = decider.Applied();
    }
    now_ = decider.now();
  }

  // Memory first: what leaves it meanwhile is on disk already. Memory, where it has a saga, wins.
  Result<Slice> NextSlice() {
    Slice slice;
    RETURN_IF_ERROR(engine_.RunInTurn([&](const Decider& decider) {
      const bool first = sequence_.IsNone();
      Saw(decider);
      if (first && !query_.label_name.empty()) {
        ListLabelled(decider.projections());
      }
      slice = Slice();
      VisitMemory(decider, slice);
    }));
    return AddEnded(std::move(slice));
  }

  // The label index has what is not settled yet; of the rest only the log knows the labels.
  void ListLabelled(const Projections& state) {
    labelled_.clear();
    for (const Saga* saga : state.WithLabel(query_.label_name, query_.label_value)) {
      labelled_.push_back(saga->planned_sequence);
    }
    std::sort(labelled_.begin(), labelled_.end());
  }

  [[nodiscard]] bool MayCarryLabel(const Saga& saga) const {
    return query_.label_name.empty() || saga.IsSettled() ||
           std::binary_search(labelled_.begin(), labelled_.end(), saga.planned_sequence);
  }

  void VisitMemory(const Decider& decider, Slice& slice) const {
    std::size_t visited = 0;
    decider.projections().VisitPlannedAfter(after_, [&](const Saga& saga) {
      if (MatchesButForLabel(saga, query_) && MayCarryLabel(saga)) {
        slice.sagas.emplace(saga.planned_sequence,
                            TakeSnapshot(decider.projections(), saga, decider.now()));
      }
      if (++visited < kSliceSagas && slice.sagas.size() <= PageLimit(query_.limit)) {
        return true;
      }
      slice.through = saga.planned_sequence;
      return false;
    });
  }

  Result<Slice> AddEnded(Slice slice) {
    ASSIGN_OR_RETURN(std::vector<Saga> ended,
                     engine_.state().WithRows([this](const CheckpointStore& rows) {
                       return rows.EndedAfter(after_, kSliceSagas);
                     }));
    if (ended.size() == kSliceSagas) {
      slice.through = std::min(slice.through, ended.back().planned_sequence);
    }
    for (Saga& saga : ended) {
      if (MatchesButForLabel(saga, query_)) {
        const Sequence planned = saga.planned_sequence;
        slice.sagas.try_emplace(planned, SagaSnapshot{std::move(saga), {}, {}, now_});
      }
    }
    slice.sagas.erase(slice.sagas.upper_bound(slice.through), slice.sagas.end());
    return slice;
  }

  // All generations of the key. Each began when the one before it had ended.
  Result<Slice> AllOfKey() {
    Slice slice;
    std::vector<std::string> ids;
    RETURN_IF_ERROR(engine_.RunInTurn([&](const Decider& decider) {
      Saw(decider);
      const Projections& state = decider.projections();
      ids.clear();
      for (const Saga* saga : {state.HolderOfKey(query_.key), state.NewestEndedOfKey(query_.key)}) {
        if (saga != nullptr) {
          ids.push_back(saga->id);
        }
      }
    }));
    ASSIGN_OR_RETURN(const std::vector<std::string> ended,
                     engine_.state().WithRows([this](const CheckpointStore& rows) {
                       return rows.Generations(query_.key);
                     }));
    ids.insert(ids.end(), ended.begin(), ended.end());
    std::uint32_t newest = 0;
    std::size_t found = 0;
    for (const std::string& id : ids) {
      ASSIGN_OR_RETURN(std::optional<SagaSnapshot> saga, engine_.FindSaga(id));
      if (saga && !slice.sagas.contains(saga->saga.planned_sequence)) {
        ++found;
        newest = std::max(newest, saga->saga.generation);
        const Sequence planned = saga->saga.planned_sequence;
        slice.sagas.emplace(planned, *std::move(saga));
      }
    }
    if (found < newest) {
      return NextSlice();  // some ended so lately that no row and no index names them
    }
    std::erase_if(slice.sagas, [this](const auto& one) {
      return one.first <= after_ || !MatchesButForLabel(one.second.saga, query_);
    });
    return slice;
  }

  Store::Engine& engine_;
  const SagaQuery& query_;
  SagaViewer viewer_;
  Sequence after_;
  Sequence last_shown_;
  Sequence sequence_;
  StoreTime now_;
  std::vector<Sequence> labelled_;
};

}  // namespace

Result<answers::SagaPageT> Store::List(const SagaQuery& query) {
  return Lister(*engine_, query).List();
}

}  // namespace sagalog
