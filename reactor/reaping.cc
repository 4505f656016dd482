#include "reactor/reaping.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "reactor/rules/situation.h"

namespace sagalog {
namespace {

using schema::OnStale;
using schema::RecoverDecision;
using schema::RefusalCode;
using schema::StaleReason;

constexpr ReaperChoice Recover(RecoverDecision decision) {
  return {ReaperAct::kRecover, decision, RefusalCode::none};
}
constexpr ReaperChoice Wait(RefusalCode code) {
  return {ReaperAct::kWait, RecoverDecision::requeue, code};
}
constexpr ReaperChoice Leave(RefusalCode code) {
  return {ReaperAct::kLeave, RecoverDecision::requeue, code};
}

constexpr ReaperChoice kRequeue = Recover(RecoverDecision::requeue);
constexpr ReaperChoice kUndo = Recover(RecoverDecision::compensate);
constexpr ReaperChoice kFail = Recover(RecoverDecision::fail);
constexpr ReaperChoice kSetAside = Recover(RecoverDecision::quarantine);
constexpr ReaperChoice kCancel = Recover(RecoverDecision::cancel);
constexpr ReaperChoice kReport = Leave(RefusalCode::none);
constexpr ReaperChoice kEarly = Wait(RefusalCode::not_stale);
constexpr ReaperChoice kParked = Leave(RefusalCode::parked);
constexpr ReaperChoice kInUse = Wait(RefusalCode::section_open);
// What became of irreversible work is not for us to say: only a quarantine claims nothing.
constexpr ReaperChoice kOpen = Leave(RefusalCode::section_open);
constexpr ReaperChoice kNotHeld = Leave(RefusalCode::wrong_state);

constexpr std::size_t kPolicies = static_cast<std::size_t>(OnStale::MAX) + 1;
using Choices = std::array<ReaperChoice, kPolicies>;

// clang-format off
constexpr std::array<Choices, kStaleSituations> kTable = {{
    //                    report     requeue     compensate  fail      quarantine
    /*kTooEarly*/         {kReport,  kEarly,     kEarly,     kEarly,   kEarly},
    /*kParked*/           {kReport,  kParked,    kParked,    kParked,  kParked},
    /*kSectionInUse*/     {kReport,  kInUse,     kInUse,     kInUse,   kInUse},
    /*kCancelPending*/    {kReport,  kCancel,    kCancel,    kCancel,  kCancel},
    /*kSectionAbandoned*/ {kReport,  kOpen,      kOpen,      kOpen,    kSetAside},
    /*kHeld*/             {kReport,  kRequeue,   kUndo,      kFail,    kSetAside},
    /*kPlanned*/          {kReport,  kNotHeld,   kUndo,      kFail,    kSetAside},
}};
// clang-format on

// Whether its section is open and nobody is left who might leave it.
bool IsAbandoned(const Saga& saga, const StalenessContext& context, StoreTime now) {
  const auto overdue_at = SectionOverdueAt(saga, context.policy);
  return saga.IsOwnerDead() || (now >= saga.expires_at && overdue_at && now >= *overdue_at);
}

RefusalCode CodeOf(StaleReason reason) {
  switch (reason) {
    case StaleReason::in_grace: return RefusalCode::in_grace;
    case StaleReason::section_open: return RefusalCode::section_open;
    case StaleReason::cancel_pending: return RefusalCode::cancel_pending;
    default: return RefusalCode::not_stale;
  }
}

std::string ReasonsInWords(const std::vector<StaleSince>& reasons) {
  std::string words;
  for (const StaleSince& stale : reasons) {
    words += fmt::format("{}{} since {}", words.empty() ? "" : ", ",
                         schema::EnumNameStaleReason(stale.reason), FormatTime(stale.since));
  }
  return words.empty() ? "not stale" : words;
}

// What cannot be known of a section that nobody left.
std::string SectionOutcome(const Saga& saga) {
  return fmt::format("unknown: {} {} in section {}", OwnerName(saga.owner),
                     saga.IsOwnerDead() ? "died" : "went silent", saga.Section()->name.view());
}

std::string WhyNot(const ReaperChoice& choice, const Saga& saga, const std::string& reasons) {
  if (choice.code == RefusalCode::parked) {
    return reasons + "; parked";
  }
  if (choice.code == RefusalCode::wrong_state) {
    return reasons + "; nobody owns it, so there is nothing to requeue";
  }
  if (saga.Section() != nullptr) {
    return fmt::format(
        "{}; section {} is open since {}{}", reasons, saga.Section()->name.view(),
        FormatTime(saga.Section()->since),
        choice.act == ReaperAct::kLeave ? ": somebody has to say what became of it" : "");
  }
  return reasons;
}

}  // namespace

StaleSituation SituationOf(const Saga& saga, const StalenessContext& context, StoreTime now) {
  const auto reasons = StaleReasons(saga, context, now);
  const bool in_grace = !reasons.empty() && reasons.front().reason == StaleReason::in_grace;
  const bool actionable = std::any_of(reasons.begin(), reasons.end(), [](const StaleSince& stale) {
    return IsActionable(stale.reason);
  });
  if (in_grace || !actionable) {
    return StaleSituation::kTooEarly;
  }
  if (saga.IsParked()) {
    return StaleSituation::kParked;
  }
  if (saga.Section() != nullptr && !IsAbandoned(saga, context, now)) {
    return StaleSituation::kSectionInUse;
  }
  if (saga.IsCancelPending()) {
    return StaleSituation::kCancelPending;
  }
  if (saga.Section() != nullptr) {
    return StaleSituation::kSectionAbandoned;
  }
  return saga.IsHeld() ? StaleSituation::kHeld : StaleSituation::kPlanned;
}

ReaperChoice ChoiceFor(StaleSituation situation, OnStale on_stale) {
  return kTable[static_cast<std::size_t>(situation)][static_cast<std::size_t>(on_stale)];
}

Reaping ReapingOf(const Saga& saga, const StalenessContext& context, StoreTime now) {
  const auto reasons = StaleReasons(saga, context, now);
  const OnStale on_stale = context.policy.on_stale;
  Reaping reaping;
  reaping.choice = ChoiceFor(SituationOf(saga, context, now), on_stale);
  const std::string words = ReasonsInWords(reasons);
  if (reaping.choice.act != ReaperAct::kRecover) {
    if (reaping.choice.code == RefusalCode::not_stale && !reasons.empty()) {
      reaping.choice.code = CodeOf(reasons.front().reason);
    }
    reaping.detail = WhyNot(reaping.choice, saga, words);
    return reaping;
  }
  reaping.detail = fmt::format("{}; on_stale is {}", words, schema::EnumNameOnStale(on_stale));
  reaping.recover.observed = saga.version.value();
  reaping.recover.decision = reaping.choice.decision;
  reaping.recover.evidence = reaping.detail;
  if (saga.Section() != nullptr) {
    reaping.recover.section_outcome = SectionOutcome(saga);
  }
  if (reaping.choice.decision == RecoverDecision::fail && saga.attempts == 0 &&
      saga.compensations.empty()) {
    reaping.recover.no_compensation_reason = "no worker ever acquired it";
  }
  return reaping;
}

std::optional<StoreTime> LookAgainAt(const Saga& saga, const StalenessContext& context,
                                     StoreTime now, RefusalCode code) {
  switch (code) {
    case RefusalCode::in_grace:
    case RefusalCode::section_open:
    case RefusalCode::cancel_pending:
    case RefusalCode::not_stale: return StalenessChangesAt(saga, context, now);
    case RefusalCode::owner_alive: {
      const auto changes = StalenessChangesAt(saga, context, now);
      const StoreTime forgotten = *saga.extras->reported_alive_at + rules::kAliveReportCounts;
      return changes ? std::min(*changes, forgotten) : forgotten;
    }
    default: return std::nullopt;
  }
}

}  // namespace sagalog
