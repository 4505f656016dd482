// What the reaper makes of one stale saga: a pure function of the saga, its policy and the time.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "projections/staleness.h"
#include "schema/commands_generated.h"

namespace sagalog {

// How a saga stands that the reaper looks at. The first that holds.
enum class StaleSituation : std::uint8_t {
  kTooEarly,          // nothing that anybody may act on yet
  kParked,            // somebody put it aside
  kSectionInUse,      // an open section holds everybody off, or its owner may still be in it
  kCancelPending,     // somebody wants it cancelled, and nobody is left to leave its section
  kSectionAbandoned,  // its owner is dead, or silent, in a section that is overdue
  kHeld,              // dispatched or running
  kPlanned,           // its dependency is dead, or its dispatches are exhausted
};
inline constexpr std::size_t kStaleSituations = 7;

// What is to be done with it.
enum class ReaperAct : std::uint8_t {
  kRecover,  // the decision, by `recover`
  kWait,     // time alone may change the answer
  kLeave,    // only an event may
};

// One cell of the table.
struct ReaperChoice {
  ReaperAct act = ReaperAct::kLeave;
  schema::RecoverDecision decision = schema::RecoverDecision::requeue;
  // Why not.
  schema::RefusalCode code = schema::RefusalCode::none;

  friend bool operator==(const ReaperChoice&, const ReaperChoice&) = default;
};

[[nodiscard]] StaleSituation SituationOf(const Saga& saga, const StalenessContext& context,
                                         StoreTime now);
// The table. Of kTooEarly the code is that of the reason for it: ReapingOf says which.
[[nodiscard]] ReaperChoice ChoiceFor(StaleSituation situation, schema::OnStale on_stale);

// A choice, with all that it takes to carry it out or to explain it.
struct Reaping {
  ReaperChoice choice;
  // For kRecover.
  commands::RecoverT recover;
  // In words: the evidence, or what stands in the way.
  std::string detail;
};

// The rules (reactor/rules/) have the last word on what it says to recover.
[[nodiscard]] Reaping ReapingOf(const Saga& saga, const StalenessContext& context, StoreTime now);

// When one that was not recovered because of `code` is to be looked at again though nothing
// happens to it; none = only then.
[[nodiscard]] std::optional<StoreTime> LookAgainAt(const Saga& saga,
                                                   const StalenessContext& context, StoreTime now,
                                                   schema::RefusalCode code);

}  // namespace sagalog
