// The lists of a running store as they were.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "reactor/list_reading.h"
#include "reactor/past_place.h"
#include "reactor/store.h"

namespace sagalog {

class PastStore;

// So many callers look back at the same time; one of them folds and the others wait, each on a
// thread of the daemon. A further one is refused at once.
inline constexpr std::size_t kPastLooksMax = 8;

// Folds the log again for each look, one at a time, so that memory holds one past and not as many
// as are asked for. What was folded is kept while there is another page of it to be read.
// Thread-safe.
class PastLooks {
 public:
  // Borrowed; the log is the store's.
  explicit PastLooks(const EventLog& log);
  ~PastLooks();
  PastLooks(const PastLooks&) = delete;
  PastLooks& operator=(const PastLooks&) = delete;

  // Called with the store as it was; true = another page of what it read will be asked for.
  using Look = std::function<Result<bool>(const PastStore& then)>;
  // `place` is not before the first event. kOverloaded when too many look back already; kCorruption
  // where the log is damaged before the place.
  Status At(const PastPlace& place, const Look& look);

 private:
  Status MoveTo(const PastPlace& place);

  const EventLog& log_;
  std::atomic<std::size_t> looking_{0};
  std::mutex mutex_;
  std::unique_ptr<PastStore> then_;  // guarded by mutex_
};

// Copies a list of a running store: as it is, or as it was. kInvalidArgument when the moment is
// before the first event, to come or beyond the end; else as PastLooks::At.
Status CopyList(Store& store, const std::optional<PastMoment>& at, ListReading& reading);

// A page of the sagas as they were, by order of planning, and what the clock showed.
struct PastSagas {
  answers::SagaPageT page;
  StoreTime time;
};
[[nodiscard]] Result<PastSagas> ListThen(Store& store, const PastMoment& at,
                                         const SagaQuery& query);

}  // namespace sagalog
