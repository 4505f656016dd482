// What keeps the store running: health, maintenance, and the clock of users' own tests.
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "reactor/api_call.h"
#include "reactor/api_problem.h"
#include "reactor/store_clock.h"
#include "reactor/verification.h"
#include "schema/json.h"
#include "schema/json_text.h"
#include "schema/json_writer.h"
#include "schema/store_time.h"

namespace sagalog {
namespace {

using schema::RefusalCode;

Status TakesNoArguments(const ApiCall& call) {
  ASSIGN_OR_RETURN(const JsonValue::Object arguments, ReadObject(call));
  if (!arguments.empty()) {
    return Status(Code::kInvalidArgument,
                  fmt::format("{}: there is no such field here", arguments.front().name));
  }
  return {};
}

// The one argument of a clock command: a duration, never negative unless `negative_too`.
Result<Duration> ReadDuration(const ApiCall& call, std::string_view field, bool negative_too) {
  ASSIGN_OR_RETURN(const JsonValue::Object arguments, ReadObject(call));
  std::optional<Duration> duration;
  for (const JsonMember& argument : arguments) {
    const auto* text = std::get_if<std::string>(&argument.value.is);
    if (argument.name != field || text == nullptr) {
      return Status(Code::kInvalidArgument,
                    fmt::format("{}: only \"{}\" is taken here, a duration", argument.name, field));
    }
    const auto parsed = ParseDuration(*text);
    if (!parsed.ok()) {
      return Status(Code::kInvalidArgument, fmt::format("{}: {}", field, parsed.status().text()));
    }
    duration = *parsed;
  }
  const Duration::rep micros = duration ? duration->count() : 0;
  if (!duration || micros > kDurationMicrosMax || micros < -kDurationMicrosMax) {
    return Status(Code::kInvalidArgument,
                  fmt::format("{}: a duration of ten years at most is needed", field));
  }
  if (micros < 0 && !negative_too) {
    return Status(Code::kInvalidArgument, fmt::format("{}: time never runs backwards", field));
  }
  return *duration;
}

// `move` may have the reaper act; after it, it has acted on all that is due.
ApiResponse MoveClock(const ApiCall& call, std::string_view field, bool negative_too,
                      void (*move)(Store& store, ManualClock& clock, Duration by)) {
  ManualClock* clock = call.options.manual_clock;
  if (clock == nullptr) {
    return Problem(call.Last(), RefusalCode::not_found,
                   "the clock is the machine's: only `serve --manual-clock` has one that is moved");
  }
  const auto duration = ReadDuration(call, field, negative_too);
  if (!duration.ok()) {
    return Problem(call.Last(), duration.status());
  }
  // All of these move the wall clock, and no store's time is far from it.
  const StoreTime now = TimeFromMicros(call.store.Describe().time);
  for (const StoreTime time : {clock->Read().wall + *duration, now + *duration}) {
    if (const Status good = CheckClock(time); !good.ok() && *duration != Duration::zero()) {
      return Problem(call.Last(), Status(good.code(), fmt::format("{}: {}", field, good.text())));
    }
  }
  move(call.store, *clock, *duration);
  call.store.PassTime(*clock, Duration::zero());
  const answers::StatusT status = call.store.Describe();
  return Answer(
      WithSequence(fmt::format(R"({{"time":"{}"}})", FormatTime(TimeFromMicros(status.time))),
                   Sequence(status.last_sequence)));
}

ApiResponse Maintain(const ApiCall& call, Status (Store::*work)()) {
  if (const Status status = TakesNoArguments(call); !status.ok()) {
    return Problem(call.Last(), status);
  }
  if (const Status status = (call.store.*work)(); !status.ok()) {
    return Problem(call.Last(), status);
  }
  return Answer(WithSequence(R"({"outcome":"ok"})", call.Last()));
}

}  // namespace

ApiResponse ShowHealth(const ApiCall& call) {
  const ApiQuery query(call.target.parameters);
  if (const Status status = query.Finish(); !status.ok()) {
    return Problem(call.Last(), status);
  }
  return Answer(WithSequence(R"({"health":"alive"})", call.Last()));
}

ApiResponse ShowReadiness(const ApiCall& call) {
  const ApiQuery query(call.target.parameters);
  if (const Status status = query.Finish(); !status.ok()) {
    return Problem(call.Last(), status);
  }
  if (const Status health = call.store.Health(); !health.ok()) {
    // What is shown is the state, which a damaged log may not reach.
    return Problem(Sequence(call.store.Describe().last_sequence), health);
  }
  return Answer(WithSequence(R"({"health":"ready"})", call.Last()));
}

ApiResponse VerifyStore(const ApiCall& call) {
  if (const Status status = TakesNoArguments(call); !status.ok()) {
    return Problem(call.Last(), status);
  }
  const auto found = VerifyAll(call.store);
  if (!found.ok()) {
    return Problem(call.Last(), found.status());
  }
  const VerifyReport& report = found->report;
  std::string json =
      fmt::format(R"({{"ok":{},"events":{},"broken":)", report.broken.empty(), report.events);
  AppendJsonString(json, report.broken);
  if (!found->invariant.empty()) {
    json += fmt::format(R"(,"invariant":"{}")", found->invariant);
  }
  if (found->hashes_only > 0) {
    json += fmt::format(R"(,"hashes_only":{})", found->hashes_only);
  }
  return Answer(WithSequence(json + "}", report.last));
}

ApiResponse RebuildStore(const ApiCall& call) { return Maintain(call, &Store::Rebuild); }

ApiResponse WriteCheckpoint(const ApiCall& call) { return Maintain(call, &Store::Checkpoint); }

// Empty, or the fields of SweepRequest.
ApiResponse SweepStore(const ApiCall& call) {
  if (const Status status = ApiQuery(call.target.parameters).Finish(); !status.ok()) {
    return Problem(call.Last(), status);
  }
  const auto request =
      FromJson<answers::SweepRequestT>(call.request.body.empty() ? "{}" : call.request.body);
  if (!request.ok()) {
    return Problem(call.Last(), request.status());
  }
  SweepOptions options;
  options.dry_run = request->dry_run;
  options.principal = call.request.principal;
  if (request->limit) {
    options.limit = *request->limit;
    if (options.limit == 0 || options.limit > kPageRowsMax) {
      return Problem(call.Last(), RefusalCode::invalid_argument,
                     fmt::format("limit: from 1 to {}", kPageRowsMax));
    }
  }
  const auto report = call.store.Sweep(options);
  return report.ok() ? Answer(ToJson(*report)) : Problem(call.Last(), report.status());
}

ApiResponse AdvanceClock(const ApiCall& call) {
  return MoveClock(call, "by", false, [](Store& store, ManualClock& clock, Duration by) {
    store.PassTime(clock, by);
  });
}

ApiResponse StepWallClock(const ApiCall& call) {
  return MoveClock(call, "by", true,
                   [](Store&, ManualClock& clock, Duration by) { clock.StepWall(by); });
}

ApiResponse SuspendClock(const ApiCall& call) {
  return MoveClock(call, "for", false,
                   [](Store&, ManualClock& clock, Duration by) { clock.Suspend(by); });
}

}  // namespace sagalog
