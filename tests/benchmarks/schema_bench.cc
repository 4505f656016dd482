// What it costs to write an event down, to check it, and to show it.
#include <memory>
#include <string>
#include <string_view>

#include <benchmark/benchmark.h>

#include "schema/event_encoder.h"
#include "schema/json.h"
#include "schema/store_time.h"
#include "schema/verify.h"

namespace sagalog {
namespace {

events::EventT EventOf(std::string_view json) {
  Result<events::EventT> event = EventFromJson(json);
  CHECK(event.ok());
  return *std::move(event);
}

events::EventT Heartbeat() {
  return EventOf(R"({"sequence":1000000,"saga_id":"acme-app-168","version":40,"previous":999000,)"
                 R"("previous_transition":990000,"time":"2026-11-21T03:18:00.123456Z",)"
                 R"("wall_time":"2026-11-21T03:18:00.123456Z","principal":"uid 1000",)"
                 R"("type":"heartbeated","body":{"expires_at":"2026-11-21T03:18:30.123456Z"}})");
}

events::EventT Planned() {
  return EventOf(
      R"({"sequence":1000000,"saga_id":"acme-app-168","version":1,)"
      R"("time":"2026-11-21T03:18:00.123456Z","wall_time":"2026-11-21T03:18:00.123456Z",)"
      R"("actor":"dispatcher","principal":"uid 1000",)"
      R"("request_id":"000102030405060708090a0b0c0d0e0f","request_content":1234567890123456789,)"
      R"("type":"planned","body":{"key":"acme/app#168","generation":1,"queue":"default",)"
      R"("priority":5,"issue":"https://example.org/acme/app/issues/168",)"
      R"("repository":"https://example.org/acme/app.git","branch":"fix/168",)"
      R"("worktree":"/srv/worktrees/acme-app-168","stage":"ready",)"
      R"("labels":{"team":"core","kind":"bug"},)"
      R"("compensations":[{"id":"worktree","kind":"remove_worktree",)"
      R"("target":"/srv/worktrees/acme-app-168","params":{"force":"yes"},"when":"always"}],)"
      R"("policy":{"lease_ttl":"30s","max_recoveries":2}}})");
}

events::EventT Make(int64_t planned) { return planned != 0 ? Planned() : Heartbeat(); }

void EncodeEvent(benchmark::State& state) {
  const events::EventT event = Make(state.range(0));
  EventEncoder encoder;
  std::size_t size = 0;
  for (auto _ : state) {
    size = encoder.Encode(event).size();
    benchmark::DoNotOptimize(size);
  }
  state.counters["bytes"] = static_cast<double>(size);
}
BENCHMARK(EncodeEvent)->ArgName("planned")->Arg(0)->Arg(1);

void VerifyOneEvent(benchmark::State& state) {
  EventEncoder encoder;
  const std::string bytes(encoder.Encode(Make(state.range(0))));
  for (auto _ : state) {
    benchmark::DoNotOptimize(VerifyEvent(bytes).ok());
  }
}
BENCHMARK(VerifyOneEvent)->ArgName("planned")->Arg(0)->Arg(1);

void WriteEventJson(benchmark::State& state) {
  EventEncoder encoder;
  const std::string bytes(encoder.Encode(Make(state.range(0))));
  std::string out;
  for (auto _ : state) {
    out.clear();
    AppendEventJson(out, *events::GetEvent(bytes.data()));
    benchmark::DoNotOptimize(out.data());
  }
  state.counters["bytes"] = static_cast<double>(out.size());
}
BENCHMARK(WriteEventJson)->ArgName("planned")->Arg(0)->Arg(1);

constexpr std::string_view kHeartbeatJson =
    R"({"token":990000,"ttl":"30s","request_id":"000102030405060708090a0b0c0d0e0f"})";
constexpr std::string_view kPlanJson =
    R"({"key":"acme/app#168","issue":"https://example.org/acme/app/issues/168",)"
    R"("repository":"https://example.org/acme/app.git","branch":"fix/168",)"
    R"("labels":{"team":"core","kind":"bug"},"policy":{"lease_ttl":"30s"},)"
    R"("compensations":[{"id":"worktree","kind":"remove_worktree",)"
    R"("target":"/srv/worktrees/acme-app-168"}]})";

Result<commands::CommandT> Parse(int64_t plan) {
  return plan != 0 ? CommandFromJson("plan", "acme-app-168", kPlanJson)
                   : CommandFromJson("heartbeat", "acme-app-168", kHeartbeatJson);
}

void ReadCommandJson(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(Parse(state.range(0)).ok());
  }
}
BENCHMARK(ReadCommandJson)->ArgName("plan")->Arg(0)->Arg(1);

void ValidateOneCommand(benchmark::State& state) {
  const Result<commands::CommandT> command = Parse(state.range(0));
  for (auto _ : state) {
    benchmark::DoNotOptimize(ValidateCommand(*command).ok());
  }
}
BENCHMARK(ValidateOneCommand)->ArgName("plan")->Arg(0)->Arg(1);

void HashCommand(benchmark::State& state) {
  const Result<commands::CommandT> command = Parse(state.range(0));
  for (auto _ : state) {
    benchmark::DoNotOptimize(CommandContent(*command));
  }
}
BENCHMARK(HashCommand)->ArgName("plan")->Arg(0)->Arg(1);

void VerifyOneCommand(benchmark::State& state) {
  flatbuffers::FlatBufferBuilder builder;
  const Result<commands::CommandT> command = Parse(state.range(0));
  commands::FinishCommandBuffer(builder, commands::Command::Pack(builder, &*command));
  const std::string bytes(reinterpret_cast<const char*>(builder.GetBufferPointer()),
                          builder.GetSize());
  for (auto _ : state) {
    benchmark::DoNotOptimize(VerifyCommand(bytes).ok());
  }
}
BENCHMARK(VerifyOneCommand)->ArgName("plan")->Arg(0)->Arg(1);

void WriteDuration(benchmark::State& state) {
  const Duration duration(state.range(0));
  for (auto _ : state) {
    benchmark::DoNotOptimize(FormatDuration(duration).size());
  }
}
BENCHMARK(WriteDuration)->ArgName("micros")->Arg(30'000'000)->Arg(1'234'567);

}  // namespace
}  // namespace sagalog
