#include "tools/story_standing.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "tools/moment.h"

namespace sagalog::tools {
namespace {

using schema::StaleReason;

// Of many owners, the first and the last ones are named.
constexpr std::size_t kTenuresAtTheBeginning = 3;
constexpr std::size_t kTenuresAtTheEnd = 7;

std::string Since(StoreTime time, StoreTime now) {
  return time == now ? fmt::format("since just now ({})", DateAndTime(time))
                     : fmt::format("for {} (since {})", Length(now - time), DateAndTime(time));
}

std::string ReasonNames(const std::vector<StaleSince>& reasons) {
  std::string text;
  for (const StaleSince& reason : reasons) {
    text += (text.empty() ? "" : ", ") + std::string(EnumNameStaleReason(reason.reason));
  }
  return text;
}

std::string HeldHeadline(const Story& story, const Saga& saga,
                         const std::vector<StaleSince>& reasons, const OwnerNames& names) {
  const std::string who = names.Of(saga.owner);
  const std::string state = schema::EnumNameState(saga.state);
  if (saga.IsOwnerDead()) {
    return fmt::format("{} is {}, but its owner {} is proven dead: nobody works on it.",
                       story.saga_id, state, who);
  }
  const Duration left = saga.expires_at - story.now;
  if (left <= Duration::zero()) {
    return fmt::format(
        "{} is {}, but {} has been silent for {}, and its lease has been over for "
        "{}{}.",
        story.saga_id, state, who, Span(story.now - saga.heartbeat_at), Span(-left),
        reasons.empty() ? "" : " (" + ReasonNames(reasons) + ")");
  }
  return fmt::format("{} is {}: {} {} it under token {} until {}, for another {}{}.", story.saga_id,
                     state, who, saga.state == State::running ? "owns" : "is to be given",
                     saga.token.value(), TimeOfDay(saga.expires_at), Span(left),
                     reasons.empty() ? "" : ", but " + ReasonNames(reasons));
}

std::string PlannedHeadline(const Story& story, const Saga& saga,
                            const std::vector<StaleSince>& reasons) {
  std::string why = "nobody has claimed it";
  if (saga.IsParked()) {
    why = "it is parked";
  } else if (!reasons.empty()) {
    why = ReasonNames(reasons);
  } else if (saga.extras && saga.extras->not_before && *saga.extras->not_before > story.now) {
    why = "it may not start before " + DateAndTime(*saga.extras->not_before);
  } else if (saga.extras) {
    for (const DependencyRecord& dependency : saga.extras->depends_on) {
      if (dependency.standing == DependencyRecord::Standing::kUnmet) {
        why = "it waits for " + dependency.saga_id;
      }
    }
  }
  return fmt::format("{} is planned {}: {}.", story.saga_id, Since(saga.state_since, story.now),
                     why);
}

std::string StatusOfCleaning(const Saga& saga) {
  switch (saga.compensation_status) {
    case CompensationStatus::none: return "";
    case CompensationStatus::settled: return " Everything is cleaned up.";
    case CompensationStatus::failed: return " A clean-up failed and is still owed.";
    case CompensationStatus::owed: break;
  }
  return " It is not cleaned up yet.";
}

void TellHeadline(Story& story, const Saga& saga, const std::vector<StaleSince>& reasons,
                  const OwnerNames& names) {
  const bool alarming = std::any_of(reasons.begin(), reasons.end(), [](const StaleSince& reason) {
    return IsActionable(reason.reason);
  });
  if (saga.IsHeld()) {
    story.headline = HeldHeadline(story, saga, reasons, names);
  } else if (saga.state == State::planned) {
    story.headline = PlannedHeadline(story, saga, reasons);
  } else {
    story.headline = fmt::format("{} {} {} {}.{}", story.saga_id,
                                 saga.state == State::compensating ? "has been" : "is",
                                 schema::EnumNameState(saga.state),
                                 Since(saga.state_since, story.now), StatusOfCleaning(saga));
  }
  const bool good = saga.state == State::completed || saga.state == State::compensated;
  story.headline_style = alarming ? Style::kBad : (good ? Style::kGood : Style::kStrong);
}

std::string InWords(const Tenure& tenure, StoreTime now, const OwnerNames& names) {
  const StoreTime end = tenure.ended.empty() ? now : tenure.until;
  std::string text = fmt::format("{} had it from {} to {} under token {}", names.Of(tenure.owner),
                                 TimeOfDay(tenure.from), TimeOfDay(end), tenure.token);
  if (tenure.ended.empty()) {
    text = fmt::format("{} has it since {} under token {}", names.Of(tenure.owner),
                       TimeOfDay(tenure.from), tenure.token);
  }
  if (end > tenure.expires_at) {
    text += fmt::format(", the last {} without a lease", Span(end - tenure.expires_at));
  }
  return text + (tenure.ended.empty() ? "." : fmt::format("; {}.", tenure.ended));
}

void TellTenures(Story& story, const StoryTotals& totals, const OwnerNames& names) {
  const std::size_t count = totals.tenures.size();
  const bool all = count <= kTenuresAtTheBeginning + kTenuresAtTheEnd;
  for (std::size_t i = 0; i < count; ++i) {
    if (!all && i == kTenuresAtTheBeginning) {
      const std::size_t left_out = count - kTenuresAtTheBeginning - kTenuresAtTheEnd;
      story.in_short.push_back(fmt::format("{} more had it.", left_out));
      i += left_out;
    }
    story.in_short.push_back(InWords(totals.tenures[i], story.now, names));
  }
  if (count == 0) {
    story.in_short.emplace_back("Nobody ever owned it.");
  }
}

void TellInShort(Story& story, const StoryTotals& totals, const OwnerNames& names) {
  TellTenures(story, totals, names);
  if (totals.refusals > 0) {
    story.in_short.push_back(fmt::format(
        "{} about it {} refused{}.", Count(totals.refusals, "command"),
        totals.refusals == 1 ? "was" : "were",
        totals.late_refusals == 0
            ? ""
            : (totals.refusals == 1 ? ", from an owner that had lost it"
                                    : fmt::format(", {} of them from an owner that had lost it",
                                                  totals.late_refusals))));
  }
  if (totals.refusals_counted > 0) {
    story.in_short.push_back(
        fmt::format("{} in the store meanwhile {} only counted: some may have "
                    "been about it.",
                    Count(totals.refusals_counted, "more refusal"),
                    totals.refusals_counted == 1 ? "was" : "were"));
  }
  if (totals.absences > 0) {
    story.in_short.push_back(fmt::format(
        "The store was away {}, {} in all.",
        totals.absences == 1 ? std::string("once") : fmt::format("{} times", totals.absences),
        Span(totals.away)));
  }
}

void TellCompensations(Story& story, const Saga& saga, const StoryTotals& totals) {
  if (!saga.IsTerminal() && saga.state != State::compensating) {
    return;
  }
  for (const CompensationRecord& record : saga.compensations) {
    if (record.IsSettled()) {
      continue;
    }
    const auto found = totals.compensations.find(record.id.view());
    const std::string id = Printable(record.id.view());
    std::string text =
        fmt::format("Clean-up {}: {}", found == totals.compensations.end() ? id : found->second,
                    schema::EnumNameCompensationState(record.state));
    if (record.attempts > 0) {
      text += fmt::format(", {} so far", Count(record.attempts, "attempt"));
    }
    if (record.state == CompensationState::claimed && record.claim) {
      text += fmt::format(", by {} until {}", Printable(record.claim->executor.view()),
                          DateAndTime(record.claim->expires_at));
    }
    story.owed.push_back(text + ".");
  }
}

// A name as it can be typed; one that would need quoting is left to who types it.
std::string ForShell(const std::string& name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == ':' || c == '/';
  });
  return plain ? name : "NAME";
}

void TellDoubts(Story& story, const Saga& saga) {
  if (!saga.extras) {
    return;
  }
  for (const EffectRecord& effect : saga.extras->effects) {
    if (effect.settled.IsNone()) {
      story.owed.push_back(
          fmt::format("The effect {} was begun, and nobody knows whether it "
                      "happened: look, then settle it.",
                      Quoted(effect.effect)));
      story.next.push_back(fmt::format("sagalog effect settle {} --effect {} --outcome HOW",
                                       story.saga_id, ForShell(effect.effect)));
    }
  }
}

// What somebody could do about a reason; empty = wait.
std::string Remedy(const Story& story, const Saga& saga, const StalenessContext& context,
                   StaleReason reason) {
  const auto& limit = context.policy.max_recoveries;
  const bool spent = limit && saga.recoveries >= static_cast<std::uint64_t>(*limit);
  switch (reason) {
    case StaleReason::owner_dead:
    case StaleReason::section_overdue:
    case StaleReason::dispatch_expired:
    case StaleReason::exited:
    case StaleReason::lease_expired:
      return fmt::format("sagalog recover {} --observed {} --decision {} --evidence WHAT-YOU-SAW{}",
                         story.saga_id, story.version,
                         spent && saga.state == State::running ? "quarantine" : "requeue",
                         saga.Section() == nullptr ? "" : " --section-outcome HOW-IT-TURNED-OUT");
    case StaleReason::max_running:
    case StaleReason::no_progress:
      return fmt::format(
          "sagalog recover {} --observed {} --decision DECISION --evidence "
          "WHAT-YOU-SAW",
          story.saga_id, story.version);
    case StaleReason::dependency_dead:
    case StaleReason::dispatch_exhausted:
      return fmt::format("sagalog cancel {} --reason WHY", story.saga_id);
    case StaleReason::compensation_owed:
    case StaleReason::compensation_failed:
      return fmt::format("sagalog compensation run --root DIR --saga {}", story.saga_id);
    case StaleReason::in_grace:
    case StaleReason::section_open:
    case StaleReason::cancel_pending: break;
  }
  return "";
}

void TellWaits(Story& story, const Saga& saga, const StalenessContext& context,
               StaleReason reason) {
  if (reason == StaleReason::in_grace) {
    if (const auto end = GraceEnd(saga, context)) {
      story.owed.push_back(fmt::format(
          "Nothing to do before {}: its owner may come back until then.", DateAndTime(*end)));
    }
  } else if (reason == StaleReason::section_open) {
    if (const auto at = SectionOverdueAt(saga, context.policy)) {
      story.owed.push_back(
          fmt::format("Nobody may recover it before {}, unless its owner is "
                      "reported dead.",
                      DateAndTime(*at)));
    }
  }
}

}  // namespace

void TellStanding(Story& story, const Saga& saga, const StalenessContext& context,
                  const StoryTotals& totals, const OwnerNames& names) {
  const std::vector<StaleSince> reasons = StaleReasons(saga, context, story.now);
  TellHeadline(story, saga, reasons, names);
  TellInShort(story, totals, names);
  TellCompensations(story, saga, totals);
  TellDoubts(story, saga);
  for (const StaleSince& reason : reasons) {
    TellWaits(story, saga, context, reason.reason);
    const std::string remedy = Remedy(story, saga, context, reason.reason);
    if (!remedy.empty() &&
        std::find(story.next.begin(), story.next.end(), remedy) == story.next.end()) {
      story.next.push_back(remedy);
    }
  }
  if (saga.IsParked()) {
    story.next.push_back(fmt::format("sagalog unpark {}", story.saga_id));
  }
}

}  // namespace sagalog::tools
