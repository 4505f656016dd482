// What folding, sweeping and checkpoints cost.
#include <malloc.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "eventlog/memory_log.h"
#include "projections/checkpoint.h"
#include "projections/projections.h"
#include "schema/check.h"
#include "schema/event_encoder.h"
#include "tests/projections/no_rows.h"

namespace sagalog {
namespace {

constexpr std::int64_t kStart = 1'790'000'000'000'000;
constexpr std::int64_t kLease = 60'000'000;

// Encoded events of sagas that all live the same life, each chained to the one before.
class Events {
 public:
  explicit Events(std::size_t sagas) : chains_(sagas) {}

  void PlanAll() {
    for (std::size_t i = 0; i < chains_.size(); ++i) Plan(i);
  }
  void AcquireAll() {
    for (std::size_t i = 0; i < chains_.size(); ++i) Acquire(i);
  }
  // In random order: no cache holds them all.
  void HeartbeatAll() {
    for (const std::size_t i : Shuffled()) Heartbeat(i);
  }
  void CompleteAll() {
    for (const std::size_t i : Shuffled()) Complete(i);
  }

  [[nodiscard]] std::size_t size() const { return starts_.size(); }
  [[nodiscard]] const events::Event& operator[](std::size_t i) const {
    return *events::GetEvent(&words_[starts_[i].first]);
  }
  [[nodiscard]] std::string_view Bytes(std::size_t i) const {
    return {reinterpret_cast<const char*>(&words_[starts_[i].first]), starts_[i].second};
  }
  [[nodiscard]] std::int64_t time() const { return time_; }

 private:
  struct Chain {
    std::uint64_t version = 0;
    std::uint64_t previous = 0;
    std::uint64_t transition = 0;
  };

  std::vector<std::size_t> Shuffled() const {
    std::vector<std::size_t> order(chains_.size());
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), std::mt19937_64(1));
    return order;
  }

  template <typename Body>
  void Add(std::size_t saga, Body body, bool heartbeat = false) {
    events::EventT event;
    event.body.Set(std::move(body));
    event.sequence = starts_.size() + 1;
    event.saga_id = "saga-" + std::to_string(1'000'000 + saga);
    Chain& chain = chains_[saga];
    event.version = ++chain.version;
    event.previous = std::exchange(chain.previous, event.sequence);
    event.previous_transition = chain.transition;
    chain.transition = heartbeat ? chain.transition : event.sequence;
    event.time = time_ += 2;
    event.wall_time = event.time;
    const std::string_view bytes = encoder_.Encode(event);
    starts_.emplace_back(words_.size(), bytes.size());
    words_.resize(words_.size() + (bytes.size() + 7) / 8);
    std::memcpy(&words_[starts_.back().first], bytes.data(), bytes.size());
  }

  void Plan(std::size_t i) {
    events::PlannedT body;
    body.key = "a/b#" + std::to_string(i);
    body.generation = 1;
    body.queue = "default";
    body.branch = "agents/task-" + std::to_string(i);
    body.worktree = "/srv/worktrees/task-" + std::to_string(i);
    for (const char* kind : {"branch", "worktree"}) {
      auto& compensation = body.compensations.emplace_back(new schema::CompensationT);
      compensation->id = kind;
      compensation->kind = kind;
      compensation->target = std::string(kind) + "/task-" + std::to_string(i);
    }
    Add(i, std::move(body));
  }
  void Acquire(std::size_t i) {
    events::LeasedT body;
    body.owner = std::make_unique<schema::OwnerT>();
    body.owner->owner = "worker-" + std::to_string(i % 1000);
    body.owner->host = "host";
    body.owner->pid = 1 + i % 1000;
    body.token = starts_.size() + 1;
    body.ttl = kLease;
    body.expires_at = time_ + kLease;
    Add(i, std::move(body));
  }
  void Heartbeat(std::size_t i) {
    events::HeartbeatedT body;
    body.expires_at = time_ + kLease;
    Add(i, std::move(body), true);
  }
  void Complete(std::size_t i) {
    events::TerminalT body;
    body.state = State::completed;
    body.by_owner = true;
    Add(i, std::move(body));
  }

  std::vector<Chain> chains_;
  std::int64_t time_ = kStart;
  EventEncoder encoder_;
  std::vector<std::uint64_t> words_;
  std::vector<std::pair<std::size_t, std::size_t>> starts_;
};

std::unique_ptr<CheckpointStore> Rows() {
  auto rows = CheckpointStore::Open({}, CheckpointStore::Mode::kInMemory);
  CHECK(rows.ok());
  return *std::move(rows);
}

void Apply(Projections& projections, const Events& events, std::size_t from, std::size_t to) {
  for (std::size_t i = from; i < to; ++i) {
    CHECK(projections.Apply(events[i]).ok());
  }
}

// The last of `phases` is measured; those before it are folded first.
using Phase = void (Events::*)();
void MeasureLast(benchmark::State& state, const std::vector<Phase>& phases) {
  Events events(static_cast<std::size_t>(state.range(0)));
  std::size_t measured_from = 0;
  for (const Phase phase : phases) {
    measured_from = events.size();
    (events.*phase)();
  }
  for (auto _ : state) {
    state.PauseTiming();
    const NoRows rows;
    auto projections = std::make_unique<Projections>(rows);
    Apply(*projections, events, 0, measured_from);
    state.ResumeTiming();
    Apply(*projections, events, measured_from, events.size());
    state.PauseTiming();
    projections.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(events.size() - measured_from) *
                          static_cast<std::int64_t>(state.iterations()));
}

void ApplyPlanned(benchmark::State& state) { MeasureLast(state, {&Events::PlanAll}); }
void ApplyLeased(benchmark::State& state) {
  MeasureLast(state, {&Events::PlanAll, &Events::AcquireAll});
}
void ApplyHeartbeated(benchmark::State& state) {
  MeasureLast(state, {&Events::PlanAll, &Events::AcquireAll, &Events::HeartbeatAll});
}
void ApplyCompleted(benchmark::State& state) {
  MeasureLast(state, {&Events::PlanAll, &Events::AcquireAll, &Events::CompleteAll});
}
BENCHMARK(ApplyPlanned)->Arg(10'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);
BENCHMARK(ApplyLeased)->Arg(10'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);
BENCHMARK(ApplyHeartbeated)->Arg(10'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);
BENCHMARK(ApplyCompleted)->Arg(10'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

std::size_t AllocatedBytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

// As malloc counts it, after the checkpoint that a store would have taken meanwhile.
void MemoryOfLiveSagas(benchmark::State& state) {
  constexpr std::size_t kSagas = 1'000'000;
  Events events(kSagas);
  events.PlanAll();
  if (state.range(0) == 1) {
    events.AcquireAll();
  }
  for (auto _ : state) {
    const auto rows = Rows();
    const std::size_t before = AllocatedBytes();
    Projections projections(*rows);
    Apply(projections, events, 0, events.size());
    CHECK(Checkpointer(projections, *rows).TakeNow().ok());
    const std::size_t of_rows = rows->SizeBytes();
    state.counters["bytes_per_saga"] =
        static_cast<double>(AllocatedBytes() - before - of_rows) / kSagas;
  }
}
BENCHMARK(MemoryOfLiveSagas)->ArgName("running")->Arg(0)->Arg(1)->Iterations(1);

// A sweep over a million live sagas of which `range(0)` are stale.
void Sweep(benchmark::State& state) {
  constexpr std::size_t kSagas = 1'000'000;
  const auto stale = static_cast<std::size_t>(state.range(0));
  Events events(kSagas);
  events.PlanAll();
  events.AcquireAll();
  const auto rows = Rows();
  Projections projections(*rows);
  Apply(projections, events, 0, events.size());
  // Two microseconds lie between one lease and the next.
  const std::int64_t first_lease = ToMicros(projections.Find("saga-1000000")->expires_at);
  const StoreTime now = TimeFromMicros(first_lease - 1 + 2 * static_cast<std::int64_t>(stale));
  for (auto _ : state) {
    const auto found = projections.Stale(now, 10'000);
    CHECK(found.size() == stale);
    benchmark::DoNotOptimize(projections.NextStaleMoment(now));
  }
}
BENCHMARK(Sweep)->ArgName("stale")->Arg(0)->Arg(1000)->Unit(benchmark::kMicrosecond);

// What a checkpoint of changed sagas costs whoever has the turn, and its writing.
void Checkpoint(benchmark::State& state) {
  const auto sagas = static_cast<std::size_t>(state.range(0));
  Events events(sagas);
  events.PlanAll();
  events.AcquireAll();
  events.HeartbeatAll();
  for (auto _ : state) {
    state.PauseTiming();
    const auto rows = Rows();
    auto projections = std::make_unique<Projections>(*rows);
    Apply(*projections, events, 0, events.size());
    Checkpointer checkpointer(*projections, *rows);
    state.ResumeTiming();
    checkpointer.Begin();
    CHECK(checkpointer.Serialize(sagas));
    if (state.range(1) == 0) state.PauseTiming();
    CHECK(checkpointer.Commit().ok());
    checkpointer.Finish();
    if (state.range(1) == 0) state.ResumeTiming();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(sagas) *
                          static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(Checkpoint)
    ->ArgNames({"sagas", "with_commit"})
    ->Args({100'000, 0})
    ->Args({100'000, 1})
    ->Unit(benchmark::kMillisecond);

void Load(benchmark::State& state) {
  const auto sagas = static_cast<std::size_t>(state.range(0));
  Events events(sagas);
  events.PlanAll();
  events.AcquireAll();
  const auto rows = Rows();
  {
    Projections projections(*rows);
    Apply(projections, events, 0, events.size());
    CHECK(Checkpointer(projections, *rows).TakeNow().ok());
  }
  for (auto _ : state) {
    auto projections = std::make_unique<Projections>(*rows);
    CHECK(rows->Load(*projections).ok());
    CHECK(projections->CountInMemory() == sagas);
    state.PauseTiming();
    projections.reset();
    state.ResumeTiming();
  }
}
BENCHMARK(Load)->Arg(1'000'000)->Unit(benchmark::kMillisecond)->Iterations(1);

// Verification on one thread, folding on another, checkpoints on a third.
void FoldFromZero(benchmark::State& state) {
  constexpr std::size_t kSagas = 250'000;
  constexpr std::size_t kWave = 1000;
  MemoryDisk disk;
  const auto log = MemoryLog::Open(disk);
  CHECK(log.ok());
  std::uint64_t count = 0;
  {
    Events events(kSagas);
    events.PlanAll();
    events.AcquireAll();
    events.HeartbeatAll();
    events.CompleteAll();
    std::vector<std::string_view> batch;
    for (std::size_t i = 0; i < events.size(); ++i) {
      batch.push_back(events.Bytes(i));
      if (batch.size() == kWave) {
        CHECK((*log)->Append(Sequence(count), batch).ok());
        count += batch.size();
        batch.clear();
      }
    }
  }
  for (auto _ : state) {
    const auto rows = Rows();
    Projections projections(*rows);
    CHECK(
        Fold(**log, Sequence(count), projections, state.range(0) == 1 ? rows.get() : nullptr).ok());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(count) *
                          static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(FoldFromZero)
    ->ArgName("checkpoints")
    ->Arg(0)
    ->Arg(1)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sagalog
