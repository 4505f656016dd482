// A saga as callers see it: its state, and the facts that only the log holds.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "eventlog/event_log.h"
#include "projections/projections.h"
#include "schema/answers_generated.h"

namespace sagalog {

// A saga copied in a turn, with what its staleness depends on. Outside the turn it stays as it is.
struct SagaSnapshot {
  Saga saga;
  EffectivePolicy policy;
  std::vector<StoreReturn> returns;
  StoreTime now;
};

// In a turn. `saga` need not be in memory.
[[nodiscard]] SagaSnapshot TakeSnapshot(const Projections& state, const Saga& saga, StoreTime now);

// Writes sagas out for callers, with reads of the log. Keeps the events it has read, so that one
// view reads each event once. One thread.
class SagaViewer {
 public:
  explicit SagaViewer(const EventLog& log) : log_(log) {}

  // Everything known of the saga. kCorruption when an event cannot be read; of a log that was
  // found damaged at its opening, what is lost is left out.
  [[nodiscard]] Result<std::unique_ptr<answers::SagaT>> View(const SagaSnapshot& snapshot);

  // One compensation of a saga.
  [[nodiscard]] Result<std::unique_ptr<answers::CompensationEntryT>> ViewCompensation(
      const CompensationRecord& record);

  // One effect of a saga.
  [[nodiscard]] Result<std::unique_ptr<answers::EffectT>> ViewEffect(const EffectRecord& record);

  // Whether the saga was planned with this label.
  [[nodiscard]] Result<bool> HasLabel(const Saga& saga, std::string_view name,
                                      std::string_view value);

  // Lets go of what was read.
  void Forget() { events_.clear(); }

 private:
  // Null = lost with a damaged log.
  [[nodiscard]] Result<const events::Event*> Read(Sequence sequence);
  Status AddPlannedFacts(const Saga& saga, answers::SagaT& view);
  Status AddReason(const Saga& saga, answers::SagaT& view);
  Status AddExtras(const SagaExtras& extras, answers::SagaT& view);

  const EventLog& log_;
  std::map<Sequence, StoredEvent> events_;
};

[[nodiscard]] std::unique_ptr<answers::SectionT> ViewSection(const SectionRecord& section);

[[nodiscard]] std::vector<std::unique_ptr<answers::StaleSinceT>> ViewReasons(
    const std::vector<StaleSince>& reasons);

}  // namespace sagalog
