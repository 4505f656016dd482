// The reaper, checkpoints, and rebuilding.
#include <utility>

#include "reactor/store_engine.h"
#include "reactor/verification.h"

namespace sagalog {

Result<VerifyReport> Store::Verify() {
  ASSIGN_OR_RETURN(Verification found, VerifyAll(*this));
  return std::move(found.report);
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
