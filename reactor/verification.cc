#include "reactor/verification.h"

#include <stdlib.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "eventlog/data_directory.h"
#include "projections/checked_fold.h"
#include "projections/folded_rows.h"
#include "reactor/audit_verification.h"
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

// What ended before, as it is told by rows that are believed.
class EndedInRows final : public EndedSagas {
 public:
  explicit EndedInRows(const EndedRows& rows) : rows_(rows) {}

  [[nodiscard]] std::optional<Saga> Find(std::string_view saga_id) const override {
    auto row = rows_.FindSaga(saga_id);
    return row.ok() ? *std::move(row) : std::nullopt;
  }
  [[nodiscard]] std::uint32_t NewestGeneration(std::string_view key, std::uint32_t /*planned*/,
                                               Sequence /*event*/) const override {
    const auto row = rows_.FindKey(key);
    return row.ok() && *row ? (*row)->generation : 0;
  }

 private:
  const EndedRows& rows_;
};

// What ended before, while the stored rows are only being compared: that nothing was planned twice
// is found when they have been.
class EndedInComparison final : public EndedSagas {
 public:
  explicit EndedInComparison(const FoldedRows& rows) : rows_(rows) {}

  [[nodiscard]] std::optional<Saga> Find(std::string_view saga_id) const override {
    auto waiting = rows_.FindSaga(saga_id);
    return waiting.ok() ? *std::move(waiting) : std::nullopt;
  }
  [[nodiscard]] std::uint32_t NewestGeneration(std::string_view key, std::uint32_t planned,
                                               Sequence event) const override {
    return rows_.GenerationBefore(key, planned, event);
  }

 private:
  const FoldedRows& rows_;
};

// Asks about each event of a fold before it is folded.
class Questions {
 public:
  Questions(const EventLog& log, AuditVerification& audit) : log_(log), audit_(audit) {}

  // For a fold whose ended sagas are these.
  FoldWatch Watch(const EndedSagas& ended) {
    return {[this, &ended](const Projections& before, const events::Event& event) {
              return Ask(ended, before, event);
            },
            {},
            [this](const events::Event& event, std::string_view bytes) {
              hashes_only_ += IsStub(event) ? 1 : 0;
              audit_.Pass(event, bytes);
            }};
  }
  // The invariant that was found broken.
  [[nodiscard]] const std::string& broken() const { return broken_; }
  // Of all that have passed.
  [[nodiscard]] std::uint64_t hashes_only() const { return hashes_only_; }

 private:
  Status Ask(const EndedSagas& ended, const Projections& before, const events::Event& event) {
    const Saga* saga = nullptr;
    std::optional<Saga> thawed;
    if (event.version() > 0 && event.saga_id() != nullptr) {
      const std::string_view saga_id = event.saga_id()->string_view();
      saga = before.Find(saga_id);
      if (saga == nullptr && event.body_type() != events::Body::Planned) {
        thawed = ended.Find(saga_id);
        saga = thawed ? &*thawed : nullptr;
      }
    }
    auto found = FindBroken({log_, ended, before, event, saga});
    if (!found) {
      return {};
    }
    broken_ = found->name;
    return {Code::kCorruption, fmt::format("{}: {}", found->name, found->text)};
  }

  const EventLog& log_;
  AuditVerification& audit_;
  std::string broken_;
  std::uint64_t hashes_only_ = 0;
};

// What one pass over the log found.
struct Found {
  Status status;
  std::string invariant;
  std::uint64_t hashes_only = 0;
};

// What is wrong with the audit tree, when all events have passed.
Found FoundInTree(const AuditVerification& audit, const Questions& questions) {
  const std::string wrong = audit.FindWrong();
  return wrong.empty() ? Found{{}, {}, questions.hashes_only()}
                       : Found{Status(Code::kCorruption, wrong), "audit_tree_is_the_logs"};
}

// Of the events up to `last` and the rows as of `checkpoint`, which the engine keeps meanwhile.
struct Verified {
  Store::Engine& engine;
  Sequence checkpoint;
  Sequence last;
};

// Folds a second copy, and compares it row by row: whatever is wrong is found and named.
Result<Found> FindByCopying(const Verified& of) {
  ASSIGN_OR_RETURN(AuditVerification audit, AuditVerification::Open(of.engine.directory()));
  const ScratchFolder folder;
  const auto mode =
      folder.path().empty() ? CheckpointStore::Mode::kInMemory : CheckpointStore::Mode::kReadWrite;
  ASSIGN_OR_RETURN(const auto rows, CheckpointStore::Open(folder.path() / "rows", mode));
  Projections projections(*rows);
  Questions questions(of.engine.log(), audit);
  const EndedInRows ended(*rows);
  const FoldWatch watch = questions.Watch(ended);
  Status folded = FoldChecked(of.engine.log(), of.checkpoint, projections, rows.get(), watch);
  if (folded.ok() && !of.checkpoint.IsNone()) {
    RETURN_IF_ERROR(Checkpointer(projections, *rows).TakeNow());
    const auto difference = of.engine.state().WithRows(
        [&rows](const CheckpointStore& stored) { return stored.FirstDifference(*rows); });
    if (!difference.ok() || *difference) {
      const std::string text = difference.ok() ? **difference : difference.status().text();
      const Code code = difference.ok() ? Code::kCorruption : difference.status().code();
      return Found{Status(code, "the projections differ from a fold of the log: " + text),
                   "projections_are_the_fold"};
    }
  }
  if (folded.ok()) {
    folded = FoldChecked(of.engine.log(), of.last, projections, rows.get(), watch);
  }
  if (!folded.ok()) {
    return Found{folded, questions.broken().empty() ? "log_is_whole" : questions.broken()};
  }
  return FoundInTree(audit, questions);
}

// The same without a copy of the rows, where that is possible; nothing when something may be wrong
// with the log or the rows, and it takes a copy to say what.
Result<std::optional<Found>> FindWithoutCopy(const Verified& of) {
  // What is behind the checkpoint stays in memory.
  constexpr std::uint64_t kTailEventsMax = 300'000;
  const std::optional<Found> unknown;
  if (of.checkpoint.IsNone() || of.last.value() - of.checkpoint.value() > kTailEventsMax ||
      of.engine.directory().empty()) {
    return unknown;
  }
  // Opened once more, so that whoever exchanges the store's own rows does not wait for this.
  const auto stored = CheckpointStore::Open(of.engine.directory() / kProjectionsDirectoryName,
                                            CheckpointStore::Mode::kReadOnly);
  if (!stored.ok() || (*stored)->CheckpointSequence() != of.checkpoint) {
    return unknown;
  }
  ASSIGN_OR_RETURN(AuditVerification audit, AuditVerification::Open(of.engine.directory()));
  FoldedRows rows(**stored);
  Projections projections(rows);
  Questions questions(of.engine.log(), audit);
  const EndedInComparison while_comparing(rows);
  FoldWatch watch = questions.Watch(while_comparing);
  watch.folded = [&rows](Projections& after) { return rows.TakeEnded(after); };
  if (!FoldChecked(of.engine.log(), of.checkpoint, projections, nullptr, watch).ok()) {
    return unknown;
  }
  const Result<bool> are_stored = rows.AreStored(projections);
  if (!are_stored.ok() || !*are_stored) {
    return unknown;
  }
  const EndedInRows ended(**stored);
  if (!FoldChecked(of.engine.log(), of.last, projections, nullptr, questions.Watch(ended)).ok()) {
    return unknown;
  }
  return std::optional(FoundInTree(audit, questions));
}

Result<Found> FindFirstBroken(const Verified& of) {
  ASSIGN_OR_RETURN(std::optional<Found> found, FindWithoutCopy(of));
  return found ? Result<Found>(*std::move(found)) : FindByCopying(of);
}

}  // namespace

Result<Verification> VerifyAll(Store& store) {
  Store::Engine& engine = Store::Engine::Of(store);
  Verification verification;
  VerifyReport& report = verification.report;
  const auto verify = [&](const Result<Sequence>& checkpoint) -> Result<Found> {
    RETURN_IF_ERROR(checkpoint.status());
    report.last = engine.log().Last();
    report.events = report.last.value();
    return FindFirstBroken({engine, *checkpoint, report.last});
  };
  CheckpointKeeper* const keeper = engine.keeper();
  const bool takes_checkpoints = keeper != nullptr && engine.Health().ok();
  ASSIGN_OR_RETURN(Found found, takes_checkpoints ? keeper->Exclude([&] {
    return verify(keeper->TakeExcluded());
  })
                                                  : verify(engine.CheckpointSequence()));
  if (!found.status.ok() && found.status.code() != Code::kCorruption) {
    return found.status;
  }
  if (found.status.ok() && engine.Health().code() == Code::kCorruption) {
    found = {engine.Health(), "log_is_whole"};
  }
  report.broken = found.status.text();
  verification.hashes_only = found.hashes_only;
  verification.invariant = found.status.ok() ? std::string() : found.invariant;
  return verification;
}

}  // namespace sagalog
