#include "tests/reactor/decided_history.h"

#include <map>

#include <fmt/format.h>

#include "schema/check.h"
#include "schema/json.h"
#include "schema/verify.h"

namespace sagalog {
namespace {

void Replace(std::string& text, std::string_view what, std::uint64_t with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what)) {
    text.replace(at, what.size(), std::to_string(with));
  }
}

// A number that no event of these histories has.
constexpr std::uint64_t kNobodysToken = 1ULL << 52;

std::uint64_t ClaimOf(const Saga& saga) {
  const CompensationRecord* record = saga.FindCompensation("c");
  return record != nullptr && record->claim ? record->claim->token.value() : kNobodysToken;
}

std::string Summary(const Decision& decision) {
  if (decision.refusal) {
    return schema::EnumNameRefusalCode(decision.refusal->code);
  }
  return decision.outcome == answers::Outcome::ok
             ? "ok"
             : fmt::format("ok:{}", answers::EnumNameOutcome(decision.outcome));
}

}  // namespace

const Result<commands::CommandT>& DecidedHistory::Parse(std::string_view command,
                                                        std::string_view saga,
                                                        std::string_view arguments) const {
  std::string body(arguments);
  const Saga* found = projections_.Find(saga);
  const bool owned = found != nullptr && !found->token.IsNone();
  Replace(body, "$TOKEN", owned ? found->token.value() : kNobodysToken);
  const bool spent =
      found != nullptr && found->extras && !found->extras->spent_dispatch_token.IsNone();
  Replace(body, "$SPENT", spent ? found->extras->spent_dispatch_token.value() : kNobodysToken);
  Replace(body, "$VERSION", found == nullptr ? 1 : found->version.value());
  Replace(body, "$CLAIM", found == nullptr ? kNobodysToken : ClaimOf(*found));
  // The same few texts come again and again, in one history and in the next.
  static std::map<std::string, Result<commands::CommandT>> known;
  const auto [place, added] =
      known.try_emplace(fmt::format("{} {} {}", command, saga, body), Status(Code::kNotFound, ""));
  if (added) {
    place->second = CommandFromJson(command, saga, body);
    if (place->second.ok()) {
      const Status valid = ValidateCommand(*place->second);
      if (!valid.ok()) {
        place->second = valid;
      }
    }
  }
  return place->second;
}

Decision DecidedHistory::DecideNow(const commands::CommandT& command) const {
  const Token next(projections_.Applied().Next().value());
  return Decide(projections_, lookups_, command, 0, {now_, next, nullptr});
}

std::string DecidedHistory::Ask(std::string_view command, std::string_view saga,
                                std::string_view arguments) const {
  const auto& parsed = Parse(command, saga, arguments);
  return parsed.ok() ? Summary(DecideNow(*parsed)) : "unparsable: " + parsed.status().text();
}

std::string DecidedHistory::Run(std::string_view command, std::string_view saga,
                                std::string_view arguments) {
  const auto& parsed = Parse(command, saga, arguments);
  if (!parsed.ok()) {
    return "unparsable: " + parsed.status().text();
  }
  Decision decision = DecideNow(*parsed);
  for (DecidedEvent& event : decision.events) {
    Fold(event.saga_id, std::move(event.body));
  }
  return Summary(decision);
}

void DecidedHistory::ComeBack() {
  events::StoreOpenedT opened;
  opened.away_since = ToMicros(now_) - 1;
  events::BodyUnion body;
  body.Set(std::move(opened));
  Fold("", std::move(body));
}

void DecidedHistory::Fold(std::string_view saga, events::BodyUnion body) {
  events::EventT event;
  event.sequence = projections_.Applied().Next().value();
  event.saga_id = saga;
  event.time = ToMicros(now_);
  event.wall_time = event.time;
  const Saga* found = projections_.Find(saga);
  if (!saga.empty()) {
    event.version = found == nullptr ? 1 : found->version.Next().value();
    event.previous = found == nullptr ? 0 : found->sequence.value();
    event.previous_transition = found == nullptr ? 0 : found->previous_transition.value();
  }
  event.body = std::move(body);
  const Status applied = projections_.Apply(*events::GetEvent(encoder_.Encode(event).data()));
  CHECK(applied.ok());
}

}  // namespace sagalog
