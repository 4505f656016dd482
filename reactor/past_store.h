// A whole store as it was: everything folded again from its log, up to a moment.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "eventlog/event_log.h"
#include "projections/checkpoint.h"
#include "projections/projections.h"
#include "reactor/past_place.h"
#include "reactor/saga_view.h"
#include "schema/answers_generated.h"
#include "schema/status.h"

namespace sagalog {

// Reads the log and writes nothing to it. What a fold of a long log leaves behind is kept in a
// folder of its own, so that memory grows with the sagas that were alive and not with history. One
// thread.
class PastStore {
 public:
  // A log of more events is folded with a folder; their sagas take up to 100 MB in memory.
  static constexpr std::uint64_t kEventsInMemoryMax = 1'000'000;

  // Nothing has happened yet. The folder, if one is needed, is made below `scratch` and removed
  // with the object. The log is borrowed.
  [[nodiscard]] static Result<std::unique_ptr<PastStore>> Open(
      const EventLog& log, const std::filesystem::path& scratch);
  ~PastStore();
  PastStore(const PastStore&) = delete;
  PastStore& operator=(const PastStore&) = delete;

  // Whether it can get there: not back, and with the folder that a long log needs.
  [[nodiscard]] bool MayMoveTo(const PastPlace& place) const;
  // Folds on to `place`, whose events are not fewer than now. kCorruption names the damage; so it
  // is when times run backwards between them.
  Status MoveTo(const PastPlace& place);
  [[nodiscard]] const PastPlace& place() const { return place_; }
  [[nodiscard]] const Projections& projections() const { return *projections_; }

  // Any saga, live or ended; none = it was not planned by then.
  [[nodiscard]] Result<std::optional<SagaSnapshot>> Find(std::string_view saga_id) const;
  // All sagas planned after `after` in the order of their planning, or only those that had not
  // ended or still owed something. An error ends the visit and is returned.
  using Visitor = std::function<Status(const SagaSnapshot& snapshot)>;
  Status VisitSagas(Sequence after, bool ended_too, const Visitor& visitor) const;

  // The stale index as it was, most urgent first.
  [[nodiscard]] std::vector<answers::StaleRowT> Stale() const;
  // Every queue that was configured or held a live saga, by name.
  [[nodiscard]] std::vector<answers::QueueT> Queues() const;

 private:
  PastStore(const EventLog& log, std::filesystem::path folder)
      : log_(log), folder_(std::move(folder)) {}

  const EventLog& log_;
  // Empty = the rows are in memory.
  const std::filesystem::path folder_;
  std::unique_ptr<CheckpointStore> rows_;
  std::unique_ptr<Projections> projections_;
  PastPlace place_{Sequence(), StoreTime::min()};
};

}  // namespace sagalog
