// What of the projections alone is measured: memory, and the sweep of the stale index.
#include <malloc.h>

#include <algorithm>

#include <fmt/format.h>

#include "projections/checkpoint.h"
#include "projections/projections.h"
#include "schema/event_encoder.h"
#include "tools/bench_figures.h"
#include "tools/bench_load.h"

namespace sagalog::tools {
namespace {

constexpr std::uint64_t kSoonExpired = 1000;
constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kStart = 1'800'000'000LL * kSecond;

std::uint64_t BytesInUse() {
  malloc_trim(0);
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

// Folds events that it makes itself.
class Feeder {
 public:
  explicit Feeder(Projections& projections) : projections_(projections) {}

  template <typename Body>
  Status Feed(const std::string& saga, std::uint64_t version, Body body) {
    events::EventT event;
    event.sequence = ++sequence_;
    event.saga_id = saga;
    event.version = version;
    event.time = kStart;
    event.wall_time = kStart;
    event.body.Set(std::move(body));
    return projections_.Apply(*events::GetEvent(encoder_.Encode(event).data()));
  }

  [[nodiscard]] std::uint64_t NextToken() const { return sequence_ + 1; }

 private:
  Projections& projections_;
  EventEncoder encoder_;
  std::uint64_t sequence_ = 0;
};

std::unique_ptr<schema::CompensationT> Cleaning(std::string id, std::string kind,
                                                std::string target) {
  auto compensation = std::make_unique<schema::CompensationT>();
  compensation->id = std::move(id);
  compensation->kind = std::move(kind);
  compensation->target = std::move(target);
  return compensation;
}

std::string SagaId(std::uint64_t number) { return fmt::format("saga-{:07}", number); }

// A saga of a 12-byte id with a key, a branch, a worktree and two compensations, running.
Status FeedLive(Feeder& feeder, std::uint64_t number) {
  const std::string id = SagaId(number);
  events::PlannedT planned;
  planned.generation = 1;
  planned.queue = "default";
  planned.key = fmt::format("acme/app#{}", number);
  planned.branch = fmt::format("task/{}", number);
  planned.worktree = fmt::format("/srv/worktrees/{}", number);
  planned.compensations.push_back(Cleaning("branch", "delete-branch", planned.branch));
  planned.compensations.push_back(Cleaning("worktree", "remove-worktree", planned.worktree));
  RETURN_IF_ERROR(feeder.Feed(id, 1, std::move(planned)));
  events::LeasedT leased;
  leased.owner = std::make_unique<schema::OwnerT>();
  leased.owner->owner = fmt::format("worker-{}", number % 100);
  leased.token = feeder.NextToken();
  leased.ttl =
      (number < kSoonExpired ? 10 : 3600 + static_cast<std::int64_t>(number % 3600)) * kSecond;
  leased.expires_at = kStart + leased.ttl;
  return feeder.Feed(id, 2, std::move(leased));
}

// Ends the sagas from `first` to before `end`, and lets them leave memory.
Status EndSagas(Feeder& feeder, Checkpointer& checkpointer, std::uint64_t first,
                std::uint64_t end) {
  for (std::uint64_t i = first; i < end; ++i) {
    events::TerminalT terminal;
    terminal.state = State::completed;
    terminal.by_owner = true;
    RETURN_IF_ERROR(feeder.Feed(SagaId(i), 3, std::move(terminal)));
  }
  // The second checkpoint lets go of what the first wrote.
  RETURN_IF_ERROR(checkpointer.TakeNow());
  return checkpointer.TakeNow();
}

double MedianSweep(const Projections& projections, std::int64_t after, std::size_t expected,
                   std::size_t& found) {
  const StoreTime now = TimeFromMicros(kStart + after);
  const auto micros = TimeEach(
      101, [&](std::uint64_t) { found = projections.Stale(now, kSoonExpired * 2).size(); });
  return found == expected ? Quantile(micros, 0.5) : -1;
}

}  // namespace

Status MeasureLiveSagas(const BenchPlan& plan, Figures& figures) {
  const auto live = static_cast<double>(plan.live_sagas);
  ASSIGN_OR_RETURN(const auto rows, CheckpointStore::Open(plan.directory / "rows",
                                                          CheckpointStore::Mode::kReadWrite));
  const std::uint64_t before = BytesInUse();
  Projections projections(*rows);
  Feeder feeder(projections);
  for (std::uint64_t i = 0; i < plan.live_sagas; ++i) {
    RETURN_IF_ERROR(FeedLive(feeder, i));
  }
  figures["bytes_per_live_saga"] = static_cast<double>(BytesInUse() - before) / live;
  std::size_t found = 0;
  figures["sweep_us_0"] = MedianSweep(projections, 5 * kSecond, 0, found);
  figures["sweep_us_1000"] = MedianSweep(projections, 20 * kSecond, kSoonExpired, found);
  if (figures["sweep_us_0"] < 0 || figures["sweep_us_1000"] < 0) {
    return {Code::kIoError, fmt::format("a sweep found {} sagas", found)};
  }
  // The first ones fill the caches, which do not grow further; what the second ones add would be
  // there for each saga that ever ended.
  Checkpointer checkpointer(projections, *rows);
  RETURN_IF_ERROR(EndSagas(feeder, checkpointer, 0, plan.live_sagas));
  const std::uint64_t after_first = BytesInUse();
  for (std::uint64_t i = plan.live_sagas; i < 2 * plan.live_sagas; ++i) {
    RETURN_IF_ERROR(FeedLive(feeder, i));
  }
  RETURN_IF_ERROR(EndSagas(feeder, checkpointer, plan.live_sagas, 2 * plan.live_sagas));
  const std::uint64_t after_second = BytesInUse();
  figures["bytes_per_terminal_saga"] =
      after_second > after_first ? static_cast<double>(after_second - after_first) / live : 0;
  RETURN_IF_ERROR(rows->Close());
  std::error_code error;
  std::filesystem::remove_all(plan.directory / "rows", error);
  return {};
}

}  // namespace sagalog::tools
