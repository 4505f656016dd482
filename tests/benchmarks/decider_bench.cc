// What one command costs the sequencer: deciding it, encoding its event and applying it. Look-ups,
// the log and the answer are not the sequencer's.
//
// The lifecycle is what orchestrators send: the saga that is worked on was touched a moment ago.
// The others take one kind of command over 100,000 live sagas in random order, so that each finds
// its saga in main memory: the worst that a sequencer meets.
#include <algorithm>
#include <memory>
#include <numeric>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "eventlog/memory_log.h"
#include "reactor/decider.h"
#include "schema/check.h"
#include "schema/verify.h"

namespace sagalog {
namespace {

constexpr std::size_t kLive = 100'000;
// Commands that one turn decides, and turns that one run measures.
constexpr std::size_t kPerTurn = 64;
constexpr std::size_t kTurns = 800;
constexpr std::size_t kMeasured = kTurns * kPerTurn;

// How far ahead the sequencer anticipates the commands in its queue.
constexpr std::size_t kAhead = 8;
constexpr std::size_t kNearAhead = 4;

using Operations = std::vector<std::unique_ptr<CommandOperation>>;

// A decider on a log in memory that is never written: a batch is dropped when it is full.
class LiveStore {
 public:
  LiveStore()
      : log_(*MemoryLog::Open(disk_)),
        clock_(TimeFromMicros(1'800'000'000'000'000)),
        state_(*LiveState::Open(*log_, LiveState::OpenRows({}, false), {})),
        due_(1'000'000'000, std::chrono::hours(24)),
        decider_(*state_, due_, notes_, *StoreClock::Start(clock_, std::nullopt, false), {}, {}) {}

  void Advance(Duration by) { clock_.Advance(by); }
  [[nodiscard]] std::uint64_t Applied() const { return decider_.Applied().value(); }

  // What happens on the thread of a caller, with a request id of its own.
  std::unique_ptr<CommandOperation> Prepare(commands::CommandT command) {
    auto operation = std::make_unique<CommandOperation>();
    operation->command = std::move(command);
    operation->command.request_id = std::make_unique<schema::RequestId>(7, ++requests_);
    operation->content = CommandContent(operation->command);
    if (operation->command.body.type == commands::Body::Plan) {
      operation->lookups = std::make_unique<Lookups>(state_->LookUp(operation->command, {}));
    }
    return operation;
  }

  void BeginTurn() {
    batch_.Clear(decider_.Applied());
    decider_.BeginTurn(batch_, std::nullopt);
  }

  void Decide(CommandOperation& operation) {
    if (!decider_.RunInTurn(operation, batch_)) {
      BeginTurn();
      CHECK(decider_.RunInTurn(operation, batch_));
    }
  }

  void Anticipate(const CommandOperation& operation, QueuedOperation::Distance distance) {
    operation.Anticipate(decider_, distance);
  }

  void DecideAll(const Operations& operations) {
    BeginTurn();
    for (const auto& operation : operations) {
      Decide(*operation);
      CHECK(!operation->refusal && operation->outcome == answers::Outcome::ok);
    }
    CHECK(decider_.TurnHealth().ok());
  }

 private:
  MemoryDisk disk_;
  std::unique_ptr<MemoryLog> log_;
  ManualClock clock_;
  std::unique_ptr<LiveState> state_;
  CheckpointDue due_;
  RefusalNotes notes_;
  Decider decider_;
  Batch batch_;
  std::uint64_t requests_ = 0;
};

std::string SagaName(std::size_t number) { return fmt::format("saga-{:07}", number); }

template <typename Body>
commands::CommandT About(std::size_t saga, Body body) {
  commands::CommandT command;
  command.saga_id = SagaName(saga);
  command.body.Set(std::move(body));
  return command;
}

commands::CommandT Plan(std::size_t saga) {
  commands::PlanT plan;
  plan.key = fmt::format("acme/app#{}", saga);
  plan.branch = fmt::format("fix/{}", saga);
  return About(saga, std::move(plan));
}

commands::CommandT Acquire(std::size_t saga) {
  commands::AcquireT acquire;
  acquire.owner = std::make_unique<schema::OwnerT>();
  acquire.owner->owner = fmt::format("worker-{}", saga % 1000);
  return About(saga, std::move(acquire));
}

commands::CommandT Heartbeat(std::size_t saga, Token token, Duration ttl = {}) {
  commands::HeartbeatT heartbeat;
  heartbeat.token = token.value();
  heartbeat.ttl = ttl.count();
  return About(saga, std::move(heartbeat));
}

commands::CommandT Complete(std::size_t saga, Token token) {
  commands::CompleteT complete;
  complete.token = token.value();
  return About(saga, std::move(complete));
}

// In random order: no cache holds them all.
std::vector<std::size_t> Shuffled(std::size_t sagas) {
  std::vector<std::size_t> order(sagas);
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), std::mt19937_64(7));
  return order;
}

// Sagas 0 to `sagas`, planned.
void PlanSagas(LiveStore& store, std::size_t sagas) {
  Operations operations;
  for (std::size_t i = 0; i < sagas; ++i) {
    operations.push_back(store.Prepare(Plan(i)));
  }
  store.DecideAll(operations);
}

// The same, each owned under the token that is returned.
std::vector<Token> RunSagas(LiveStore& store, std::size_t sagas) {
  PlanSagas(store, sagas);
  Operations operations;
  for (std::size_t i = 0; i < sagas; ++i) {
    operations.push_back(store.Prepare(Acquire(i)));
  }
  store.DecideAll(operations);
  std::vector<Token> tokens;
  for (const auto& operation : operations) {
    tokens.push_back(operation->token);
  }
  store.Advance(std::chrono::seconds(5));
  return tokens;
}

// One turn an iteration; `command` says what the measured command of that number is. With range(0)
// the commands that come next are anticipated, as they are when they wait in the sequencer's queue;
// without, each finds what it needs where it is.
template <typename Command>
void DecideTurns(benchmark::State& state, LiveStore& store, const Command& command,
                 bool refused = false) {
  const bool queued = state.range(0) != 0;
  std::size_t number = 0;
  for (auto _ : state) {
    state.PauseTiming();
    Operations operations;
    for (std::size_t i = 0; i < kPerTurn; ++i) {
      operations.push_back(store.Prepare(command(number++)));
    }
    state.ResumeTiming();
    store.BeginTurn();
    for (std::size_t i = 0; i < kPerTurn; ++i) {
      if (queued && i + kAhead < kPerTurn) {
        store.Anticipate(*operations[i + kAhead], QueuedOperation::Distance::kFar);
      }
      if (queued && i + kNearAhead < kPerTurn) {
        store.Anticipate(*operations[i + kNearAhead], QueuedOperation::Distance::kNear);
      }
      store.Decide(*operations[i]);
    }
    state.PauseTiming();
    for (const auto& operation : operations) {
      CHECK(refused == (operation->refusal != nullptr));
    }
    operations.clear();
    state.ResumeTiming();
  }
  state.counters["per_command"] = benchmark::Counter(
      static_cast<double>(number), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void DecideAndApplyPlan(benchmark::State& state) {
  LiveStore store;
  PlanSagas(store, kLive);
  DecideTurns(state, store, [](std::size_t number) { return Plan(kLive + number); });
}

void DecideAndApplyAcquire(benchmark::State& state) {
  LiveStore store;
  PlanSagas(store, kLive);
  const auto order = Shuffled(kLive);
  DecideTurns(state, store, [&](std::size_t number) { return Acquire(order[number]); });
}

void DecideAndApplyHeartbeat(benchmark::State& state) {
  LiveStore store;
  const std::vector<Token> tokens = RunSagas(store, kLive);
  const auto order = Shuffled(kLive);
  DecideTurns(state, store,
              [&](std::size_t number) { return Heartbeat(order[number], tokens[order[number]]); });
}

// As many are live at the end.
void DecideAndApplyComplete(benchmark::State& state) {
  LiveStore store;
  const std::vector<Token> tokens = RunSagas(store, kLive + kMeasured);
  const auto order = Shuffled(kLive + kMeasured);
  DecideTurns(state, store,
              [&](std::size_t number) { return Complete(order[number], tokens[order[number]]); });
}

// A replaced worker's: nothing is applied.
void DecideAndRefuseComplete(benchmark::State& state) {
  LiveStore store;
  RunSagas(store, kLive);
  const auto order = Shuffled(kLive);
  DecideTurns(
      state, store, [&](std::size_t number) { return Complete(order[number], Token(1)); }, true);
}

// Sixteen sagas a turn, each planned, acquired, heartbeated and completed, beside range(1) others
// that are live.
void DecideAndApplyLifecycle(benchmark::State& state) {
  constexpr std::size_t kStages = 4;
  constexpr std::size_t kSagasOfATurn = kPerTurn / kStages;
  LiveStore store;
  const auto live = static_cast<std::size_t>(state.range(1));
  RunSagas(store, live);
  // Tokens are sequences: those of a turn follow from where it begins.
  const std::uint64_t applied = store.Applied();
  DecideTurns(state, store, [&](std::size_t number) {
    const std::size_t in_turn = number % kPerTurn;
    const std::size_t saga = live + number / kPerTurn * kSagasOfATurn + in_turn % kSagasOfATurn;
    const Token token(applied + number / kPerTurn * kPerTurn + kSagasOfATurn +
                      in_turn % kSagasOfATurn + 1);
    switch (in_turn / kSagasOfATurn) {
      case 0: return Plan(saga);
      case 1: return Acquire(saga);
      case 2: return Heartbeat(saga, token, std::chrono::minutes(2));
      default: return Complete(saga, token);
    }
  });
}

void Turns(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("queued")->Arg(1)->Arg(0)->Iterations(kTurns);
}

BENCHMARK(DecideAndApplyLifecycle)
    ->ArgNames({"queued", "live"})
    ->ArgsProduct({{1, 0}, {1'000, 100'000}})
    ->Iterations(kTurns);
BENCHMARK(DecideAndApplyPlan)->Apply(Turns);
BENCHMARK(DecideAndApplyAcquire)->Apply(Turns);
BENCHMARK(DecideAndApplyHeartbeat)->Apply(Turns);
BENCHMARK(DecideAndApplyComplete)->Apply(Turns);
BENCHMARK(DecideAndRefuseComplete)->Apply(Turns);

}  // namespace
}  // namespace sagalog
