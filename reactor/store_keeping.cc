// Backup, and compaction of heartbeats.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "projections/merkle_tree.h"
#include "reactor/store_engine.h"
#include "reactor/superseded_heartbeats.h"
#include "schema/event_stub.h"

namespace sagalog {
namespace {

// A stretch of the log that is looked at, and made small, at once: bounds the memory.
constexpr std::uint64_t kStretchEvents = 65'536;
// Stubs that are written together: appends wait for them no longer than for a batch of their own.
constexpr std::size_t kStubsAtOnce = 256;
// Sagas that are asked about in one turn.
constexpr std::size_t kSagasATurn = 256;

Status CannotKeep() {
  return {Code::kInvalidArgument, "this store's log sees to its backups and its size itself"};
}

bool IsInside(const std::filesystem::path& path, const std::filesystem::path& directory) {
  if (directory.empty()) {
    return false;
  }
  std::error_code error;
  const auto outer = std::filesystem::weakly_canonical(directory, error);
  const auto inner = std::filesystem::weakly_canonical(path, error);
  return !error &&
         std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

// One compaction.
class Compaction {
 public:
  Compaction(Store::Engine& engine, LogMaintenance& maintenance)
      : engine_(engine), maintenance_(maintenance) {}

  // Makes stubs of what is superseded among the events before `cutoff` and up to `end`.
  Status Run(StoreTime cutoff, Sequence end) {
    cutoff_ = cutoff;
    while (through_ < end) {
      const Sequence stretch_end(std::min(end.value(), through_.value() + kStretchEvents));
      ASSIGN_OR_RETURN(const Sequence reached, Compact(through_.Next(), stretch_end));
      through_ = reached;
      if (reached < stretch_end) {
        break;
      }
    }
    return stubs_ == 0 ? Status() : maintenance_.Settle();
  }

  // The last event before the cutoff.
  [[nodiscard]] Sequence through() const { return through_; }
  [[nodiscard]] std::uint64_t stubs() const { return stubs_; }

 private:
  // The last event of the stretch that is before the cutoff.
  Result<Sequence> Compact(Sequence from, Sequence end) {
    Sequence reached(from.value() - 1);
    SupersededHeartbeats heartbeats;
    RETURN_IF_ERROR(ScanOld(from, end, [&](const events::Event& event, std::string_view) {
      heartbeats.Add(event);
      reached = Sequence(event.sequence());
      return Status();
    }));
    ASSIGN_OR_RETURN(const std::vector<Sequence> superseded, Choose(heartbeats));
    if (!superseded.empty()) {
      // The rows on disk must not be of a moment when these heartbeats were still needed.
      if (engine_.CheckpointSequence() < chosen_at_) {
        RETURN_IF_ERROR(engine_.keeper()->Take().status());
      }
      RETURN_IF_ERROR(WriteStubs(superseded));
    }
    return reached;
  }

  Status ScanOld(Sequence from, Sequence end, const EventLog::Visitor& visitor) const {
    bool young = false;
    const Status scanned =
        engine_.log().Scan(from, end, [&](const events::Event& event, std::string_view bytes) {
          young = TimeFromMicros(event.time()) >= cutoff_;
          return young ? Status(Code::kCancelled, "younger from here on") : visitor(event, bytes);
        });
    return young ? Status() : scanned;
  }

  Result<std::vector<Sequence>> Choose(const SupersededHeartbeats& heartbeats) {
    std::vector<Sequence> superseded;
    const std::vector<std::string> sagas = heartbeats.Sagas();
    std::vector<NeededHeartbeats> needed;
    for (std::size_t begin = 0; begin < sagas.size(); begin += kSagasATurn) {
      const std::size_t count = std::min(kSagasATurn, sagas.size() - begin);
      RETURN_IF_ERROR(engine_.RunInTurn(
          [&](const Decider& decider) {
            chosen_at_ = decider.Applied();
            needed.clear();
            for (std::size_t i = 0; i < count; ++i) {
              needed.push_back(NeededHeartbeats::Of(decider.projections().Find(sagas[begin + i])));
            }
          },
          TurnFunction::Kind::kUpkeep));
      for (std::size_t i = 0; i < count; ++i) {
        heartbeats.Choose(sagas[begin + i], needed[i], superseded);
      }
    }
    std::sort(superseded.begin(), superseded.end());
    return superseded;
  }

  Status WriteStubs(const std::vector<Sequence>& superseded) {
    std::vector<std::string> stubs;
    for (const Sequence sequence : superseded) {
      ASSIGN_OR_RETURN(const StoredEvent event, engine_.log().Read(sequence));
      stubs.emplace_back(encoder_.Encode(*event, LeafHash(*event, event.bytes())));
      if (stubs.size() == kStubsAtOnce || sequence == superseded.back()) {
        const std::vector<std::string_view> views(stubs.begin(), stubs.end());
        RETURN_IF_ERROR(maintenance_.Replace(views));
        stubs_ += stubs.size();
        stubs.clear();
      }
    }
    return {};
  }

  Store::Engine& engine_;
  LogMaintenance& maintenance_;
  StoreTime cutoff_;
  Sequence through_;
  std::uint64_t stubs_ = 0;
  // What the needs were true of.
  Sequence chosen_at_;
  StubEncoder encoder_;
};

}  // namespace

Result<Sequence> Store::Engine::AppendNote(KeepingNote note) {
  KeepingOperation operation(std::move(note));
  RETURN_IF_ERROR(sequencer_->Run(operation));
  RETURN_IF_ERROR(operation.status());
  return operation.sequence();
}

Result<BackupReport> Store::Backup(const BackupOptions& options) {
  LogMaintenance* const maintenance = engine_->maintenance();
  if (maintenance == nullptr) {
    return CannotKeep();
  }
  if (options.directory.empty()) {
    return Status(Code::kInvalidArgument, "which directory shall hold the backup?");
  }
  if (options.keep == 0) {
    return Status(Code::kInvalidArgument, "at least one backup has to be kept");
  }
  if (IsInside(options.directory, engine_->directory())) {
    return Status(Code::kInvalidArgument,
                  fmt::format("{} is inside the data directory: what damages one would damage the "
                              "other; choose a directory outside, best on another disk",
                              options.directory.string()));
  }
  LogBackupOptions log_options;
  log_options.directory = options.directory;
  log_options.keep = options.keep;
  RETURN_IF_ERROR(engine_->RunInTurn(
      [&](const Decider& decider) { log_options.origin = decider.projections().facts().store_id; },
      TurnFunction::Kind::kUpkeep));
  ASSIGN_OR_RETURN(LogBackup made, maintenance->Backup(log_options));
  return BackupReport{std::move(made.path), made.last, made.size_bytes, made.copied_bytes};
}

Result<CompactReport> Store::Compact(const CompactOptions& options) {
  LogMaintenance* const maintenance = engine_->maintenance();
  if (maintenance == nullptr) {
    return CannotKeep();
  }
  RETURN_IF_ERROR(engine_->Health());
  if (engine_->keeper() == nullptr) {
    return Status(Code::kReadOnly, "the store is open for reading only");
  }
  if (options.older_than < Duration::zero()) {
    return Status(Code::kInvalidArgument, "older_than: an age is not negative");
  }
  const std::lock_guard lock(engine_->compaction_mutex());
  // A reader that comes, or goes back, from here on finds what it finds.
  ASSIGN_OR_RETURN(const std::optional<LogReader> slowest, engine_->readers().Slowest());
  StoreTime cutoff;
  Sequence end;
  RETURN_IF_ERROR(engine_->RunInTurn(
      [&](const Decider& decider) {
        cutoff = decider.now() - options.older_than;
        end = decider.Applied();
      },
      TurnFunction::Kind::kUpkeep));
  if (options.older_than == Duration::zero()) {
    cutoff += Duration(1);  // what happened this very moment is not younger than nothing
  }
  end = std::min(end, options.through.value_or(end));
  if (slowest) {
    end = std::min(end, Sequence(slowest->position.value() - 1));
  }
  Compaction compaction(*engine_, *maintenance);
  RETURN_IF_ERROR(compaction.Run(cutoff, end));
  CompactReport report;
  report.through = compaction.through();
  report.stubs = compaction.stubs();
  if (report.stubs > 0) {
    events::CompactedT compacted;
    compacted.through = report.through.value();
    compacted.stubs = report.stubs;
    compacted.older_than = ToMicros(cutoff);
    RETURN_IF_ERROR(
        engine_->AppendNote({std::move(compacted), options.actor, options.principal, {}, 0})
            .status());
    report.unreclaimed = maintenance->ReclaimSpace(Sequence(1), report.through).text();
  }
  report.sequence = engine_->log().Last();
  return report;
}

}  // namespace sagalog
