#include "tests/incidents/scenario_player.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "eventlog/memory_log.h"
#include "schema/check.h"
#include "schema/json.h"

namespace sagalog::incidents {
namespace {

namespace json = boost::json;

// A token that no store ever gave.
constexpr std::uint64_t kTokenNeverGiven = (1ULL << 52) + 7;

std::string TextOf(const json::object& step, std::string_view name, std::string_view absent = "") {
  const json::value* value = step.if_contains(name);
  return value == nullptr ? std::string(absent) : std::string(value->as_string());
}

Duration DurationOf(const json::object& step, std::string_view name) {
  const auto parsed = ParseDuration(TextOf(step, name, "0s"));
  CHECK(parsed.ok());
  return *parsed;
}

std::string HexOf(std::string_view request) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char byte : request) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3U;
  }
  return fmt::format("{:016x}{:016x}", hash, ~hash);
}

json::object TakeIdentity(json::object& step) {
  json::object identity;
  for (const char* field : {"host", "boot_id", "pid_namespace", "pid", "pid_start"}) {
    if (const json::value* value = step.if_contains(field)) {
      identity[field] = *value;
      step.erase(field);
    }
  }
  return identity;
}

std::string DetailOf(const events::Event& event) {
  switch (event.body_type()) {
    case events::Body::Terminal: return schema::EnumNameState(event.body_as_Terminal()->state());
    case events::Body::Leased: return schema::EnumNameLeaseHow(event.body_as_Leased()->how());
    case events::Body::CompensationSettled:
      return schema::EnumNameCompensationOutcome(event.body_as_CompensationSettled()->outcome());
    default: return {};
  }
}

std::string Difference(std::string_view what, std::string_view actual, std::string_view expected) {
  return actual == expected ? std::string()
                            : fmt::format("{} is {}, not {}", what, actual, expected);
}

}  // namespace

ScenarioPlayer::ScenarioPlayer() : clock_(*ParseTime("2026-01-01T00:00:00Z")) {
  CHECK(Open() == "ok");
}

std::string ScenarioPlayer::Open() {
  store_.reset();
  auto log = MemoryLog::Open(disk_);
  if (!log.ok() && log.status().code() == Code::kCorruption) {
    log = MemoryLog::Open(disk_, LogMode::kReadOnly);
  }
  if (!log.ok()) {
    return std::string(CodeName(log.status().code()));
  }
  StoreOptions options;
  options.log = *std::move(log);
  options.clock = &clock_;
  auto store = Store::Open(std::move(options));
  if (!store.ok()) {
    return store.status().text();
  }
  store_ = *std::move(store);
  return store_->Health().code() == Code::kCorruption ? "corrupt" : "ok";
}

void ScenarioPlayer::Rebuild() { CHECK(store_->Rebuild().ok()); }

void ScenarioPlayer::Configure(const json::object& settings) {
  commands::ConfigureQueueT configure;
  configure.queue = "default";
  if (const json::value* limit = settings.if_contains("queue_limit")) {
    configure.limit = limit->to_number<std::int64_t>();
  }
  if (settings.contains("max_recoveries") || settings.contains("max_running")) {
    configure.policy = std::make_unique<schema::PolicyT>();
    if (const json::value* value = settings.if_contains("max_recoveries")) {
      configure.policy->max_recoveries = value->to_number<std::int64_t>();
    }
    if (settings.contains("max_running")) {
      configure.policy->max_running = DurationOf(settings, "max_running").count();
    }
  }
  commands::CommandT command;
  command.body.Set(std::move(configure));
  CHECK(store_->Execute(std::move(command)).Get().ok());
}

std::string ScenarioPlayer::Play(const json::object& step) {
  const std::string expected = TextOf(step, "expect");
  const std::string actual = Do(step);
  const bool replayed = actual == "ok:replayed";
  if (actual == expected || (replayed && expected == "ok:unchanged") ||
      (expected == "ok" && actual.starts_with("ok"))) {
    return {};
  }
  return fmt::format("{}: expected {}, got {}", json::serialize(step), expected, actual);
}

std::string ScenarioPlayer::Do(const json::object& step) {
  const std::string what = TextOf(step, "do");
  if (what == "advance_clock") {
    clock_.Advance(DurationOf(step, "by"));
  } else if (what == "step_wall_clock") {
    clock_.StepWall(DurationOf(step, "by"));
  } else if (what == "suspend_host") {
    clock_.Suspend(DurationOf(step, "for"));
  } else if (what == "observe_stale") {
    const json::value* limit = step.if_contains("limit");
    Observe(TextOf(step, "as"), limit == nullptr ? 1000 : limit->to_number<std::size_t>());
  } else if (what == "reopen") {
    return Reopen(step);
  } else if (what == "check") {
    return Check(step);
  } else {
    return Command(step);
  }
  return "ok";
}

void ScenarioPlayer::Observe(const std::string& name, std::size_t limit) {
  auto& versions = observed_[name];
  for (const auto& [saga, known] : sagas_) {
    const auto found = store_->Find(saga);
    versions[saga] = found.ok() ? found->version : 0;
  }
  PageQuery query;
  query.limit = limit;
  const auto page = store_->Stale(query);
  CHECK(page.ok());
  for (const auto& row : page->items) {
    versions[row->saga_id] = row->version;
  }
}

json::object ScenarioPlayer::Arguments(const json::object& step) const {
  json::object arguments = step;
  const std::string what = TextOf(step, "do");
  for (const char* other : {"do", "saga", "as", "ack", "expect", "caller_zone"}) {
    arguments.erase(other);
  }
  if (const json::value* text = arguments.if_contains("text");
      text != nullptr && !text->is_string()) {
    arguments["text"] = json::serialize(*text);
  }
  if (const std::string request = TextOf(step, "request"); !request.empty()) {
    arguments.erase("request");
    arguments["request_id"] = HexOf(request);
  }
  for (const char* token : {"token", "dispatch_token"}) {
    if (arguments.contains(token)) {
      const auto bound = tokens_.find(TextOf(step, token));
      arguments[token] = bound == tokens_.end() ? kTokenNeverGiven : bound->second;
    }
  }
  if (arguments.contains("compensation")) {
    arguments["id"] = arguments.at("compensation");
    arguments.erase("compensation");
  }
  json::object identity = TakeIdentity(arguments);
  if (what == "report_owner") {
    arguments["identity"] = identity;
    arguments["verdict"] = arguments.at("alive").as_bool() ? "alive" : "dead";
    arguments.erase("alive");
  } else if (arguments.contains("owner")) {
    identity["owner"] = arguments.at("owner");
    arguments["owner"] = identity;
  }
  if (what == "recover") {
    const auto seen = observed_.find(TextOf(step, "observed"));
    CHECK(seen != observed_.end());
    const auto version = seen->second.find(TextOf(step, "saga"));
    arguments["observed"] = version == seen->second.end() ? 0 : version->second;
  }
  return arguments;
}

std::string ScenarioPlayer::Command(const json::object& step) {
  const std::string saga = TextOf(step, "saga");
  const std::string acknowledged = TextOf(step, "ack");
  auto command = CommandFromJson(TextOf(step, "do"), saga, json::serialize(Arguments(step)));
  if (!command.ok()) {
    return fmt::format("unparsable: {}", command.status().text());
  }
  sagas_[saga] = true;
  if (acknowledged == "torn") {
    disk_.InjectAfter(0, MemoryDisk::Fault::kTornWrite);
  }
  const Reply reply = store_->Execute(*std::move(command)).Get();
  if (acknowledged == "torn") {
    return reply.ok() ? "ok" : "lost";
  }
  if (!reply.ok()) {
    return schema::EnumNameRefusalCode(reply.refusal().code);
  }
  const answers::AnswerT& answer = reply.answer();
  if (const std::string name = TextOf(step, "as"); !name.empty()) {
    tokens_[name] = answer.token;
  }
  if (answer.replayed) {
    return "ok:replayed";
  }
  if (answer.cancel_pending) {
    return "ok:cancel_pending";
  }
  return answer.outcome == answers::Outcome::ok
             ? "ok"
             : fmt::format("ok:{}", answers::EnumNameOutcome(answer.outcome));
}

std::string ScenarioPlayer::Reopen(const json::object& step) {
  const std::string how = TextOf(step, "how");
  if (how == "clean" || how == "corrupt_mid") {
    CHECK(store_->Close().ok());
  }
  const Sequence last = store_->log().Last();
  store_.reset();
  if (how == "corrupt_mid") {
    disk_.FlipByte(Sequence(last.value() / 2), 40);
  }
  clock_.Advance(DurationOf(step, "down_for"));
  return Open();
}

std::string ScenarioPlayer::Check(const json::object& step) {
  std::string failure;
  if (const json::value* used = step.if_contains("slots_used")) {
    const auto queue = store_->Queue("default");
    CHECK(queue.ok());
    failure = Difference("slots_used", std::to_string(queue->slots_used),
                         std::to_string(used->to_number<std::uint64_t>()));
  }
  const std::string id = TextOf(step, "saga");
  if (failure.empty() && !id.empty()) {
    const auto saga = store_->Find(id);
    if (!saga.ok()) {
      return saga.status().text();
    }
    failure = CheckSaga(step, *saga);
    if (failure.empty()) {
      failure = CheckEvents(id, step);
    }
  }
  return failure.empty() ? "ok" : failure;
}

std::string ScenarioPlayer::CheckSaga(const json::object& step, const answers::SagaT& saga) {
  std::vector<std::string> stale;
  for (const auto& row : saga.stale) {
    stale.emplace_back(schema::EnumNameStaleReason(row->reason));
  }
  json::object compensations;
  for (const auto& compensation : saga.compensations) {
    compensations[compensation->id] = schema::EnumNameCompensationState(compensation->state);
  }
  const json::object actual{
      {"state", schema::EnumNameState(saga.state)},
      {"owner", saga.owner ? saga.owner->owner : ""},
      {"stage", saga.stage},
      {"stale", json::value_from(stale)},
      {"compensation_status", schema::EnumNameCompensationStatus(saga.compensation_status)},
      {"cancel_pending", saga.cancel_pending},
      {"recoveries", saga.recoveries},
      {"event_count", saga.version},
  };
  for (const auto& [name, value] : actual) {
    const json::value* expected = step.if_contains(name);
    if (expected != nullptr && json::serialize(*expected) != json::serialize(value)) {
      return Difference(name, json::serialize(value), json::serialize(*expected));
    }
  }
  if (const json::value* expected = step.if_contains("compensation")) {
    for (const auto& [id, state] : expected->as_object()) {
      const json::value* found = compensations.if_contains(id);
      if (found == nullptr || *found != state) {
        return Difference(id, found == nullptr ? "absent" : json::serialize(*found),
                          json::serialize(state));
      }
    }
  }
  return {};
}

std::string ScenarioPlayer::CheckEvents(const std::string& saga, const json::object& step) {
  const json::value* expected = step.if_contains("events_in_order");
  if (expected == nullptr) {
    return {};
  }
  const auto history = store_->History(saga, false, 10000);
  CHECK(history.ok());
  const json::array& wanted = expected->as_array();
  auto next = wanted.begin();
  std::string seen;
  for (const StoredEvent& event : *history) {
    const std::string type(EventTypeName(event->body_type()));
    const std::string detailed = fmt::format("{}({})", type, DetailOf(*event));
    seen += detailed + " ";
    if (next != wanted.end() && (next->as_string() == type || next->as_string() == detailed)) {
      ++next;
    }
  }
  return next == wanted.end() ? std::string()
                              : fmt::format("{} is missing in {}", json::serialize(*next), seen);
}

}  // namespace sagalog::incidents
