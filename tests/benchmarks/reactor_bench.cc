// The rules alone: deciding a command against a state in memory.
#include <benchmark/benchmark.h>

#include "projections/checkpoint.h"
#include "reactor/decide.h"
#include "schema/check.h"
#include "schema/event_encoder.h"

namespace sagalog {
namespace {

constexpr std::int64_t kStart = 1'800'000'000'000'000;

// A running saga T under token 2 and a planned saga P.
class DecidedState {
 public:
  DecidedState()
      : rows_(*CheckpointStore::Open({}, CheckpointStore::Mode::kInMemory)), state_(*rows_) {
    events::PlannedT planned;
    planned.queue = "default";
    Feed("T", 1, planned);
    events::LeasedT leased;
    leased.owner = std::make_unique<schema::OwnerT>();
    leased.owner->owner = "w";
    leased.token = 2;
    leased.ttl = 60'000'000;
    leased.expires_at = kStart + leased.ttl;
    Feed("T", 2, leased);
    Feed("P", 1, planned);
  }

  [[nodiscard]] Decision Run(const commands::CommandT& command) const {
    DecideContext context;
    context.now = TimeFromMicros(kStart + 1'000'000);
    context.next_token = Token(4);
    return Decide(state_, lookups_, command, 0, context);
  }

 private:
  template <typename Body>
  void Feed(const std::string& saga, std::uint64_t version, const Body& body) {
    events::EventT event;
    event.sequence = ++sequence_;
    event.saga_id = saga;
    event.version = version;
    event.time = kStart;
    event.wall_time = kStart;
    event.body.Set(Body(body));
    CHECK(state_.Apply(*events::GetEvent(encoder_.Encode(event).data())).ok());
  }

  std::unique_ptr<CheckpointStore> rows_;
  Projections state_;
  Lookups lookups_;
  EventEncoder encoder_;
  std::uint64_t sequence_ = 0;
};

void DecideAll(benchmark::State& state, const commands::CommandT& command, bool allowed) {
  const DecidedState decided;
  for (auto _ : state) {
    const Decision decision = decided.Run(command);
    CHECK(allowed == !decision.refusal);
    benchmark::DoNotOptimize(decision.token);
  }
}

void DecideHeartbeat(benchmark::State& state) {
  commands::CommandT command;
  command.saga_id = "T";
  commands::HeartbeatT heartbeat;
  heartbeat.token = 2;
  command.body.Set(std::move(heartbeat));
  DecideAll(state, command, true);
}
BENCHMARK(DecideHeartbeat);

void DecideAcquire(benchmark::State& state) {
  commands::CommandT command;
  command.saga_id = "P";
  commands::AcquireT acquire;
  acquire.owner = std::make_unique<schema::OwnerT>();
  acquire.owner->owner = "w2";
  command.body.Set(std::move(acquire));
  DecideAll(state, command, true);
}
BENCHMARK(DecideAcquire);

void DecideStaleComplete(benchmark::State& state) {
  commands::CommandT command;
  command.saga_id = "T";
  commands::CompleteT complete;
  complete.token = 1;
  command.body.Set(std::move(complete));
  DecideAll(state, command, false);
}
BENCHMARK(DecideStaleComplete);

}  // namespace
}  // namespace sagalog
