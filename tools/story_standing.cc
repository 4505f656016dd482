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

// "is completed since just now (…)", "has been completed for 10 min (since …)".
std::string IsSince(schema::State state, StoreTime time, StoreTime now) {
  const char* const name = schema::EnumNameState(state);
  if (time == now) {
    return fmt::format("is {} since just now ({})", name, DateAndTime(time));
  }
  return fmt::format("has been {} for {} (since {})", name, Length(now - time), DateAndTime(time));
}

std::string StaleReasonNames(const std::vector<StaleSince>& reasons) {
  std::string text;
  for (const StaleSince& reason : reasons) {
    text += (text.empty() ? "" : ", ") + std::string(EnumNameStaleReason(reason.reason));
  }
  return text;
}

// What is wrong although the lease is not over.
std::string Complaint(const Saga& saga, const StalenessContext& context, const StaleSince& reason,
                      StoreTime now, const std::string& who) {
  const std::string too_long = Span(now - reason.since);
  switch (reason.reason) {
    case StaleReason::section_overdue:
      return fmt::format("{} has been inside the section {} since {}, {} too long", who,
                         Quoted(saga.Section()->name.view()), TimeOfDay(saga.Section()->since),
                         too_long);
    case StaleReason::max_running:
      return fmt::format("{} has had it for {}, {} longer than max_running allows", who,
                         Span(now - saga.acquired_at), too_long);
    case StaleReason::no_progress:
      return fmt::format(
          "{} has told no progress for {}, {} too long", who,
          Span(now - reason.since + context.policy.progress_timeout.value_or(Duration::zero())),
          too_long);
    case StaleReason::cancel_pending: return "a cancel waits for the section to be left";
    default: return "";
  }
}

// ", but w1 has … (max_running), and …"; nothing when nothing is wrong.
std::string Complaints(const Saga& saga, const StalenessContext& context,
                       const std::vector<StaleSince>& reasons, StoreTime now,
                       const std::string& who) {
  std::string text;
  for (const StaleSince& reason : reasons) {
    const std::string name(EnumNameStaleReason(reason.reason));
    const std::string complaint = Complaint(saga, context, reason, now, who);
    text += fmt::format("{}{}", text.empty() ? ", but " : ", and ",
                        complaint.empty() ? name : fmt::format("{} ({})", complaint, name));
  }
  return text;
}

// The lease is over.
std::string Absence(const Saga& saga, StoreTime now, const std::string& who) {
  const std::string over = Span(now - saga.expires_at);
  if (const ExitRecord* exit = saga.Exit()) {
    return fmt::format(
        "the process of {} exited with code {} {} ago, nobody has finalised it, and the lease has "
        "been over for {}",
        who, exit->code, Span(now - exit->at), over);
  }
  return fmt::format("{} has been silent for {}, and its lease has been over for {}", who,
                     Span(now - saga.heartbeat_at), over);
}

std::string HeldHeadline(const Story& story, const Saga& saga, const StalenessContext& context,
                         const std::vector<StaleSince>& reasons, const OwnerNames& names) {
  const std::string who = names.Of(saga.owner);
  const std::string state = schema::EnumNameState(saga.state);
  if (saga.IsOwnerDead()) {
    return fmt::format("{} is {}, but its owner {} is proven dead: nobody works on it.",
                       story.saga_id, state, who);
  }
  const Duration left = saga.expires_at - story.now;
  if (left <= Duration::zero()) {
    return fmt::format("{} is {}, but {}{}.", story.saga_id, state, Absence(saga, story.now, who),
                       reasons.empty() ? "" : " (" + StaleReasonNames(reasons) + ")");
  }
  return fmt::format("{} is {}: {} {} it under token {} until {}, for another {}{}.", story.saga_id,
                     state, who, saga.state == State::running ? "owns" : "is to be given",
                     saga.token.value(), TimeOfDay(saga.expires_at), Span(left),
                     Complaints(saga, context, reasons, story.now, who));
}

// Why one that is planned never starts.
std::string NeverStarts(const Saga& saga, StaleReason reason) {
  if (reason == StaleReason::dispatch_exhausted) {
    return fmt::format("it is dispatched no more, after {} in a row",
                       Count(saga.dispatch_failures, "dispatch failure"));
  }
  if (saga.extras) {
    for (const DependencyRecord& dependency : saga.extras->depends_on) {
      if (dependency.standing == DependencyRecord::Standing::kDead) {
        return fmt::format("what it waits for, {}, ended otherwise than completed",
                           dependency.saga_id);
      }
    }
  }
  return "it cannot start";
}

std::string PlannedHeadline(const Story& story, const Saga& saga,
                            const std::vector<StaleSince>& reasons) {
  std::string why = "nobody has claimed it";
  if (saga.IsParked()) {
    why = "it is parked";
  } else if (!reasons.empty()) {
    why = fmt::format("{} ({})", NeverStarts(saga, reasons.front().reason),
                      StaleReasonNames(reasons));
  } else if (saga.extras && saga.extras->not_before && *saga.extras->not_before > story.now) {
    why = "it may not start before " + DateAndTime(*saga.extras->not_before);
  } else if (saga.extras) {
    for (const DependencyRecord& dependency : saga.extras->depends_on) {
      if (dependency.standing == DependencyRecord::Standing::kUnmet) {
        why = "it waits for " + dependency.saga_id;
      }
    }
  }
  return fmt::format("{} {}: {}.", story.saga_id, IsSince(saga.state, saga.state_since, story.now),
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

void TellHeadline(Story& story, const Saga& saga, const StalenessContext& context,
                  const std::vector<StaleSince>& reasons, const OwnerNames& names) {
  const bool alarming = std::any_of(reasons.begin(), reasons.end(), [](const StaleSince& reason) {
    return IsActionable(reason.reason);
  });
  if (saga.IsHeld()) {
    story.headline = HeldHeadline(story, saga, context, reasons, names);
  } else if (saga.state == State::planned) {
    story.headline = PlannedHeadline(story, saga, reasons);
  } else {
    story.headline =
        fmt::format("{} {}.{}", story.saga_id, IsSince(saga.state, saga.state_since, story.now),
                    StatusOfCleaning(saga));
  }
  const bool good = saga.state == State::completed || saga.state == State::compensated;
  story.headline_style = alarming ? Style::kBad : (good ? Style::kGood : Style::kStrong);
}

std::string TenureInWords(const Tenure& tenure, StoreTime now, const OwnerNames& names) {
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
    story.in_short.push_back(TenureInWords(totals.tenures[i], story.now, names));
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
      const std::string executor = Printable(record.claim->executor.view());
      const StoreTime end = record.claim->expires_at;
      text += end > story.now
                  ? fmt::format(", by {} until {}", executor, DateAndTime(end))
                  : fmt::format(
                        "; the claim of {} has been over for {} (since {}): anybody may "
                        "claim it",
                        executor, Span(story.now - end), DateAndTime(end));
    }
    story.owed.push_back(text + ".");
  }
}

// The kinds that `sagalog compensation run` undoes by itself.
bool IsDoneByRun(std::string_view kind) {
  return kind == "remove-worktree" || kind == "delete-branch" || kind == "delete-remote-branch";
}

// What is to be done next about a debt: the newest registered, unless the policy says the oldest.
const CompensationRecord* NextToUndo(const Saga& saga, const StalenessContext& context) {
  const CompensationRecord* next = nullptr;
  for (const CompensationRecord& record : saga.compensations) {
    const bool oldest_first =
        context.policy.compensation_order == schema::CompensationOrder::registered;
    if (!record.IsSettled() && (next == nullptr || !oldest_first)) {
      next = &record;
    }
  }
  return next;
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

// The recovery that the rules would let through: a requeue, unless a cancel waits or the limit of
// recoveries is reached.
std::string Recovery(const Story& story, const Saga& saga, const StalenessContext& context) {
  const auto& limit = context.policy.max_recoveries;
  const bool spent = saga.state == State::running && limit &&
                     saga.recoveries >= static_cast<std::uint64_t>(*limit);
  const char* const decision = saga.IsCancelPending() ? "cancel" : spent ? "quarantine" : "requeue";
  return fmt::format("sagalog recover {} --observed {} --decision {} --evidence WHAT-YOU-SAW{}",
                     story.saga_id, story.version, decision,
                     saga.Section() == nullptr ? "" : " --section-outcome HOW-IT-TURNED-OUT");
}

// What somebody could do about a reason; empty = wait.
std::string Remedy(const Story& story, const Saga& saga, const StalenessContext& context,
                   StaleReason reason) {
  switch (reason) {
    case StaleReason::owner_dead:
    case StaleReason::section_overdue:
    case StaleReason::dispatch_expired:
    case StaleReason::exited:
    case StaleReason::lease_expired:
    case StaleReason::max_running:
    case StaleReason::no_progress: return Recovery(story, saga, context);
    case StaleReason::dependency_dead:
    case StaleReason::dispatch_exhausted:
      return fmt::format("sagalog cancel {} --reason WHY", story.saga_id);
    case StaleReason::compensation_owed:
    case StaleReason::compensation_failed:  // TellUndoing
    case StaleReason::in_grace:
    case StaleReason::section_open:
    case StaleReason::cancel_pending: break;
  }
  return "";
}

// How the next thing owed is undone: by git, or by whoever knows how.
void TellUndoing(Story& story, const Saga& saga, const StalenessContext& context,
                 const StoryTotals& totals) {
  const CompensationRecord* const record = NextToUndo(saga, context);
  const bool claimed = record != nullptr && record->state == CompensationState::claimed &&
                       record->claim && record->claim->expires_at > story.now;
  if (record == nullptr || claimed) {
    return;  // somebody is at it
  }
  const auto kind = totals.kinds.find(record->id.view());
  if (kind != totals.kinds.end() && IsDoneByRun(kind->second)) {
    story.next.push_back(
        fmt::format("sagalog compensation run --root DIR --saga {}", story.saga_id));
    return;
  }
  const std::string id = ForShell(std::string(record->id.view()));
  story.next.push_back(
      fmt::format("sagalog compensation claim {} --id {} --executor YOU", story.saga_id, id));
  story.next.push_back(fmt::format(
      "sagalog compensation settle {} --id {} --token TOKEN-OF-THE-CLAIM --outcome done",
      story.saga_id, id));
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
  TellHeadline(story, saga, context, reasons, names);
  TellInShort(story, totals, names);
  TellCompensations(story, saga, totals);
  TellDoubts(story, saga);
  for (const StaleSince& reason : reasons) {
    TellWaits(story, saga, context, reason.reason);
    if (reason.reason == StaleReason::dispatch_exhausted) {
      story.next.push_back(fmt::format("sagalog acquire {} --owner WORKER", story.saga_id));
    }
    const std::string remedy = Remedy(story, saga, context, reason.reason);
    if (!remedy.empty() &&
        std::find(story.next.begin(), story.next.end(), remedy) == story.next.end()) {
      story.next.push_back(remedy);
    }
  }
  if (saga.compensation_status == CompensationStatus::owed ||
      saga.compensation_status == CompensationStatus::failed) {
    TellUndoing(story, saga, context, totals);
  }
  if (saga.IsParked()) {
    story.next.push_back(fmt::format("sagalog unpark {}", story.saga_id));
  }
}

}  // namespace sagalog::tools
