// Sagas at any place of a log, each folded from its own events.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "eventlog/event_log.h"
#include "projections/saga.h"
#include "schema/status.h"

namespace sagalog {

// Whoever goes through a log in either direction asks for the saga of each event. Going forwards
// costs one event; going back, or to a saga that was not asked for lately, as many reads as the
// saga has events up to there, but no more than kSnapshotEvents when it was just folded. What
// others' events show in a saga is not in these (past_facts.h). Memory is bounded by the constants
// below. One thread.
class SagaFolds {
 public:
  // Sagas that are kept: about 600 bytes each.
  static constexpr std::size_t kSagasMax = 50'000;
  // Of a saga with a long history, one fold in so many events is kept, while it is the newest that
  // was folded so.
  static constexpr std::size_t kSnapshotEvents = 1024;

  // The log is borrowed.
  explicit SagaFolds(const EventLog& log) : log_(log) {}

  // The saga through its event `newest`; none = before it was planned: a saga without an id. Valid
  // until the next call. kCorruption when an event cannot be read.
  [[nodiscard]] Result<const Saga*> At(std::string_view saga_id, Sequence newest);

  // The saga of `event` once that has happened: from At(…, previous) with one event more.
  [[nodiscard]] Result<const Saga*> After(const events::Event& event);

 private:
  Result<Saga> FoldFrom(Saga start, Sequence newest);
  Result<Saga> FoldLong(Saga start, const std::vector<Sequence>& newest_first);
  [[nodiscard]] Saga NewestSnapshot(std::string_view saga_id, Sequence newest) const;
  Saga& Keep(Saga saga);

  const EventLog& log_;
  const Saga nobody_;
  std::unordered_map<std::string, Saga> sagas_;
  // Of one saga, ascending.
  std::vector<Saga> snapshots_;
};

}  // namespace sagalog
