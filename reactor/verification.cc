#include "reactor/verification.h"

#include <stdlib.h>

#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "projections/checked_fold.h"
#include "reactor/invariants.h"
#include "reactor/store_engine.h"

namespace sagalog {
namespace fs = std::filesystem;
namespace {

// A folder for the rows of a second copy, which would else be as large in memory as the history;
// gone with the object. Empty = none could be made.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::error_code error;
    std::string pattern = (fs::temp_directory_path(error) / "sagalog-verify-XXXXXX").string();
    if (!error && ::mkdtemp(pattern.data()) != nullptr) {
      path_ = pattern;
    }
  }
  ~ScratchFolder() {
    std::error_code error;
    if (!path_.empty()) {
      fs::remove_all(path_, error);
    }
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// A second copy, folded from zero and checked on the way.
class SecondCopy {
 public:
  explicit SecondCopy(const EventLog& log) : log_(log) {}

  Status Open() {
    const auto mode = folder_.path().empty() ? CheckpointStore::Mode::kInMemory
                                             : CheckpointStore::Mode::kReadWrite;
    ASSIGN_OR_RETURN(rows_, CheckpointStore::Open(folder_.path() / "rows", mode));
    projections_ = std::make_unique<Projections>(*rows_);
    return {};
  }

  Status FoldTo(Sequence through) {
    return FoldChecked(log_, through, *projections_, *rows_,
                       [this](const Projections& before, const events::Event& event) {
                         return Check(before, event);
                       });
  }

  // The rows of what was folded.
  Result<const CheckpointStore*> Rows() {
    Checkpointer checkpointer(*projections_, *rows_);
    RETURN_IF_ERROR(checkpointer.TakeNow());
    return static_cast<const CheckpointStore*>(rows_.get());
  }

  // The invariant that was found broken.
  [[nodiscard]] const std::string& broken() const { return broken_; }

 private:
  Status Check(const Projections& before, const events::Event& event) {
    const Saga* saga = event.version() == 0 || event.saga_id() == nullptr
                           ? nullptr
                           : before.Find(event.saga_id()->string_view());
    auto found = FindBroken({log_, *rows_, before, event, saga});
    if (!found) {
      return {};
    }
    broken_ = found->name;
    return {Code::kCorruption, fmt::format("{}: {}", found->name, found->text)};
  }

  const EventLog& log_;
  const ScratchFolder folder_;
  std::unique_ptr<CheckpointStore> rows_;
  std::unique_ptr<Projections> projections_;
  std::string broken_;
};

// Says what is broken of the events up to `last` and the rows as of `checkpoint`.
Status CompareWithRows(Store::Engine& engine, Sequence checkpoint, Sequence last,
                       std::string& broken) {
  SecondCopy copy(engine.log());
  RETURN_IF_ERROR(copy.Open());
  broken = "log_is_whole";
  Status folded = copy.FoldTo(checkpoint);
  if (folded.ok() && !checkpoint.IsNone()) {
    ASSIGN_OR_RETURN(const CheckpointStore* const rows, copy.Rows());
    ASSIGN_OR_RETURN(const auto difference,
                     engine.state().WithRows([rows](const CheckpointStore& of_store) {
                       return of_store.FirstDifference(*rows);
                     }));
    if (difference) {
      broken = "projections_are_the_fold";
      return {Code::kCorruption,
              fmt::format("the projections differ from a fold of the log: {}", *difference)};
    }
  }
  if (folded.ok()) {
    folded = copy.FoldTo(last);
  }
  if (!copy.broken().empty()) {
    broken = copy.broken();
  }
  return folded;
}

}  // namespace

Result<Verification> VerifyAll(Store& store) {
  Store::Engine& engine = Store::Engine::Of(store);
  Verification verification;
  VerifyReport& report = verification.report;
  const auto verify = [&](Result<Sequence> checkpoint) -> Status {
    RETURN_IF_ERROR(checkpoint.status());
    report.last = engine.log().Last();
    report.events = report.last.value();
    return CompareWithRows(engine, *checkpoint, report.last, verification.invariant);
  };
  CheckpointKeeper* const keeper = engine.keeper();
  const bool takes_checkpoints = keeper != nullptr && engine.Health().ok();
  Status found = takes_checkpoints ? keeper->Exclude([&] { return verify(keeper->TakeExcluded()); })
                                   : verify(engine.CheckpointSequence());
  if (!found.ok() && found.code() != Code::kCorruption) {
    return found;
  }
  if (found.ok() && engine.Health().code() == Code::kCorruption) {
    found = engine.Health();
    verification.invariant = "log_is_whole";
  }
  report.broken = found.text();
  if (found.ok()) {
    verification.invariant.clear();
  }
  return verification;
}

}  // namespace sagalog
