#include "tests/reactor/rules_store.h"

#include <fmt/format.h>

#include "eventlog/memory_log.h"
#include "schema/check.h"
#include "schema/json.h"

namespace sagalog {
namespace {

void Replace(std::string& text, std::string_view what, const std::string& with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what)) {
    text.replace(at, what.size(), with);
  }
}

}  // namespace

RulesStore::RulesStore(ReaperOptions reaper)
    : reaper_(reaper), clock_(*ParseTime("2026-01-01T00:00:00Z")) {
  Open();
}

void RulesStore::Open() {
  store_.reset();
  auto log = MemoryLog::Open(disk_);
  CHECK(log.ok());
  StoreOptions options;
  options.log = *std::move(log);
  options.clock = &clock_;
  options.reaper = reaper_;
  auto store = Store::Open(std::move(options));
  CHECK(store.ok());
  store_ = *std::move(store);
}

std::string RulesStore::Run(std::string_view command, std::string_view saga,
                            std::string_view arguments) {
  std::string body(arguments);
  Replace(body, "$TOKEN", std::to_string(TokenOf(saga)));
  if (body.find("$VERSION") != std::string::npos) {
    Replace(body, "$VERSION", std::to_string(Saga(saga).version));
  }
  auto parsed = CommandFromJson(command, saga, body);
  if (!parsed.ok()) {
    return "unparsable: " + parsed.status().text();
  }
  Reply reply = store_->Execute(*std::move(parsed), true).Get();
  if (!reply.ok()) {
    refusal_ = reply.refusal();
    return schema::EnumNameRefusalCode(refusal_.code);
  }
  answer_ = reply.answer();
  if (answer_.token != 0) {
    tokens_[answer_.saga ? answer_.saga->saga_id : std::string(saga)] = answer_.token;
  }
  if (answer_.replayed) {
    return "ok:replayed";
  }
  return answer_.outcome == answers::Outcome::ok
             ? "ok"
             : fmt::format("ok:{}", answers::EnumNameOutcome(answer_.outcome));
}

std::uint64_t RulesStore::TokenOf(std::string_view saga) const {
  const auto found = tokens_.find(saga);
  return found == tokens_.end() ? (1ULL << 52) : found->second;
}

answers::SagaT RulesStore::Saga(std::string_view saga) {
  auto found = store_->Find(saga);
  CHECK(found.ok());
  return *std::move(found);
}

std::string RulesStore::Sheet(std::string_view saga) { return ToJson(Saga(saga)); }

std::string RulesStore::StateOf(std::string_view saga) {
  return schema::EnumNameState(Saga(saga).state);
}

std::string RulesStore::StaleOf(std::string_view saga) {
  std::string reasons;
  for (const auto& row : Saga(saga).stale) {
    reasons +=
        fmt::format("{}{}", reasons.empty() ? "" : " ", schema::EnumNameStaleReason(row->reason));
  }
  return reasons;
}

void RulesStore::Advance(std::string_view by) {
  const auto duration = ParseDuration(by);
  CHECK(duration.ok());
  clock_.Advance(*duration);
}

void RulesStore::Pass(std::string_view by) {
  const auto duration = ParseDuration(by);
  CHECK(duration.ok());
  store_->PassTime(clock_, *duration);
}

void RulesStore::Crash(std::string_view down_for) {
  store_.reset();
  Advance(down_for);
  Open();
}

}  // namespace sagalog
