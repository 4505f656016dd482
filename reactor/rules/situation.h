// What a rule sees, and how it says yes or no.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "reactor/decide.h"

namespace sagalog::rules {

using schema::RefusalCode;
using Refusal = std::unique_ptr<answers::RefusalT>;

// How long a report that the owner is alive holds others off.
inline constexpr Duration kAliveReportCounts = std::chrono::minutes(1);

// One command meeting one state at one moment. Everything is borrowed for the decision.
struct Situation {
  const Projections& state;
  const Lookups& lookups;
  const commands::CommandT& command;
  const DecideContext& context;
  // The saga that the command names; null = there is none, or the command names none.
  const Saga* saga = nullptr;

  [[nodiscard]] StoreTime now() const { return context.now; }
  [[nodiscard]] EffectivePolicy Policy() const { return state.PolicyOf(*saga); }
  [[nodiscard]] StalenessContext Staleness() const { return state.ContextOf(*saga); }
  [[nodiscard]] bool IsLeaseOver() const { return now() >= saga->expires_at; }
  // Whether the open section holds off a recovery: neither overdue nor its owner proven dead.
  [[nodiscard]] bool SectionHolds() const;
  // Until when a report that the owner is alive still counts; none = there is no such report.
  [[nodiscard]] std::optional<StoreTime> ReportedAliveUntil() const;
};

// A no about the situation's saga, with the facts that are known of it: state, version, holder,
// since when, until when.
[[nodiscard]] Refusal Refuse(const Situation& situation, RefusalCode code, std::string detail);
// The same about another saga than the command's.
[[nodiscard]] Refusal RefuseAbout(const Saga& saga, RefusalCode code, std::string detail);

// section_open, with the section's name and age.
[[nodiscard]] Refusal RefuseOpenSection(const Situation& situation);
// cancel_pending, with the moment of the request.
[[nodiscard]] Refusal RefuseCancelPending(const Situation& situation);
// compensation_missing unless something is registered or a reason says why nothing is.
[[nodiscard]] Refusal RequireCompensation(const Situation& situation,
                                          std::string_view no_compensation_reason);

// Appends an event to the decision, for the situation's saga or another one.
template <typename Body>
void Append(Decision& decision, std::string_view saga_id, Body body) {
  DecidedEvent event;
  event.saga_id = saga_id;
  event.body.Set(std::move(body));
  decision.events.push_back(std::move(event));
}
template <typename Body>
void Append(Decision& decision, const Situation& situation, Body body) {
  Append(decision, situation.saga->id, std::move(body));
}

[[nodiscard]] std::unique_ptr<schema::OwnerT> CopyOwner(const schema::OwnerT& owner);
[[nodiscard]] std::unique_ptr<schema::OwnerT> CopyOwner(const InternedText& identity);

// The fencing token and the owner that a command carries, where it carries them.
struct Credentials {
  std::optional<Token> token;
  const schema::OwnerT* owner = nullptr;
};
[[nodiscard]] Credentials CredentialsOf(const commands::CommandT& command);

}  // namespace sagalog::rules
