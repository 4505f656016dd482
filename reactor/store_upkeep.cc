// The reaper, checkpoints, and the proof that what is in memory and on disk is what the log says.
#include <utility>

#include <fmt/format.h>

#include "reactor/store_engine.h"

namespace sagalog {
namespace {

// A second copy, folded from zero, that leaves nothing behind.
struct SecondCopy {
  std::unique_ptr<CheckpointStore> rows;
  std::unique_ptr<Projections> projections;
};

Result<SecondCopy> FoldSecondCopy(const EventLog& log, Sequence through) {
  SecondCopy copy;
  ASSIGN_OR_RETURN(copy.rows, CheckpointStore::Open({}, CheckpointStore::Mode::kInMemory));
  copy.projections = std::make_unique<Projections>(*copy.rows);
  RETURN_IF_ERROR(Fold(log, through, *copy.projections, copy.rows.get()));
  Checkpointer checkpointer(*copy.projections, *copy.rows);
  RETURN_IF_ERROR(checkpointer.TakeNow());
  return copy;
}

// Says what is broken of the events up to `last` and the rows as of `checkpoint`.
Status CompareWithRows(const EventLog& log, const LiveState& state, Sequence checkpoint,
                       Sequence last) {
  ASSIGN_OR_RETURN(const SecondCopy copy, FoldSecondCopy(log, checkpoint));
  if (!checkpoint.IsNone()) {
    ASSIGN_OR_RETURN(const auto difference, state.WithRows([&](const CheckpointStore& rows) {
      return rows.FirstDifference(*copy.rows);
    }));
    if (difference) {
      return {Code::kCorruption,
              fmt::format("the projections differ from a fold of the log: {}", *difference)};
    }
  }
  return Fold(log, last, *copy.projections, copy.rows.get());
}

}  // namespace

Result<VerifyReport> Store::Verify() {
  VerifyReport report;
  const auto verify = [&](Result<Sequence> checkpoint) -> Status {
    RETURN_IF_ERROR(checkpoint.status());
    report.last = engine_->log().Last();
    report.events = report.last.value();
    return CompareWithRows(engine_->log(), engine_->state(), *checkpoint, report.last);
  };
  CheckpointKeeper* const keeper = engine_->keeper();
  const bool takes_checkpoints = keeper != nullptr && engine_->Health().ok();
  const Status found = takes_checkpoints
                           ? keeper->Exclude([&] { return verify(keeper->TakeExcluded()); })
                           : verify(engine_->CheckpointSequence());
  if (!found.ok() && found.code() != Code::kCorruption) {
    return found;
  }
  report.broken = found.text();
  if (found.ok() && engine_->Health().code() == Code::kCorruption) {
    report.broken = engine_->Health().text();
  }
  return report;
}

Result<answers::SweepReportT> Store::Sweep(const SweepOptions& options) {
  return engine_->reaper().Sweep(options);
}

answers::ReaperT Store::DescribeReaper() const { return engine_->reaper().Describe(); }

void Store::PassTime(ManualClock& clock, Duration by) {
  if (engine_->reaper().runs()) {
    engine_->reaper().PassTime(clock, by);
  } else {
    clock.Advance(by);
  }
}

Status Store::Checkpoint() {
  if (engine_->keeper() == nullptr) {
    return {Code::kReadOnly, "the store is open for reading only"};
  }
  return engine_->keeper()->Take().status();
}

Status Store::Rebuild() {
  CheckpointKeeper* const keeper = engine_->keeper();
  if (keeper == nullptr) {
    const Status health = engine_->Health();
    return health.ok() ? Status(Code::kReadOnly, "the store is open for reading only")
                       : Status(health.code(),
                                "the log itself is damaged, and the checkpoint may be "
                                "all that is left of it: " +
                                    health.text());
  }
  return keeper->Exclude([this] {
    Status rebuilt(Code::kConflict, "not tried yet");
    // Until a turn finds all that is applied on disk.
    while (rebuilt.code() == Code::kConflict) {
      RETURN_IF_ERROR(engine_->RunInTurn(
          [&rebuilt](Decider& decider) {
            if (rebuilt.code() != Code::kConflict) {
              return;  // run again after it failed
            }
            rebuilt = decider.state().Rebuild();
            if (!rebuilt.ok() && rebuilt.code() != Code::kConflict) {
              decider.FailTurn(rebuilt);
            }
          },
          TurnFunction::Kind::kAloneUpkeep));
    }
    return rebuilt;
  });
}

}  // namespace sagalog
