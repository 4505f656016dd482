// The sentences about who has a saga: planned, dispatched, leased, lost, recovered.
#include <fmt/format.h>

#include "tools/moment.h"
#include "tools/story_events.h"

namespace sagalog::tools {
namespace {

std::string Listed(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) {
    text += (text.empty() ? "" : ", ") + Printable(item);
  }
  return text;
}

std::string Until(const StoryScene& scene, std::int64_t expires_at) {
  const StoreTime end = TimeFromMicros(expires_at);
  return fmt::format("until {} ({})", TimeOfDay(end), Span(end - scene.time()));
}

Sentence Planned(const StoryScene& scene, const events::PlannedT& planned) {
  std::string text = fmt::format("{} planned it", ActorOf(scene.event));
  if (!planned.key.empty()) {
    text += fmt::format(" under the key {}", Quoted(planned.key));
    if (planned.generation > 1) {
      text += fmt::format(" (generation {})", planned.generation);
    }
  }
  if (!planned.queue.empty() && planned.queue != "default") {
    text += fmt::format(", in the queue {}", Quoted(planned.queue));
  }
  if (!planned.parent.empty()) {
    text += ", as a child of " + planned.parent;
  }
  text += ".";
  if (!planned.rerun.empty()) {
    text += fmt::format(" The key was completed before; again because {}.", Quoted(planned.rerun));
  }
  if (!planned.stage.empty()) {
    text += fmt::format(" Its stage is {}.", Quoted(planned.stage));
  }
  if (!planned.depends_on.empty()) {
    text += fmt::format(" It waits for {}.", Listed(planned.depends_on));
  }
  if (planned.not_before != 0) {
    text +=
        fmt::format(" Not to start before {}.", DateAndTime(TimeFromMicros(planned.not_before)));
  }
  if (!planned.compensations.empty()) {
    std::vector<std::string> all;
    for (const auto& compensation : planned.compensations) {
      all.push_back(CompensationInWords(*compensation));
    }
    text += fmt::format(" To be cleaned up: {}.", Listed(all));
  }
  return {text};
}

Sentence Dispatched(const StoryScene& scene, const events::DispatchedT& dispatched) {
  return {fmt::format("Dispatched to {} under token {}, {}: a claim without a worker yet.",
                      scene.names.InFull(dispatched.owner.get()), dispatched.token,
                      Until(scene, dispatched.expires_at)),
          Style::kBusy};
}

// Whether it is dispatched no more.
bool IsLastFailure(const StoryScene& scene) {
  const auto& limit = scene.policy.max_dispatch_failures;
  return limit && scene.after.dispatch_failures >= static_cast<std::uint64_t>(*limit);
}

std::string Failures(const StoryScene& scene) {
  const auto& limit = scene.policy.max_dispatch_failures;
  const std::string of =
      !limit ? "" : fmt::format(", {}of {}", IsLastFailure(scene) ? "the last " : "", *limit);
  return fmt::format("That is dispatch failure {} in a row{}.", scene.after.dispatch_failures, of);
}

Sentence DispatchAborted(const StoryScene& scene, const events::DispatchAbortedT& aborted) {
  return {fmt::format("The dispatch to {} was given up{}. {}", scene.names.Of(scene.before.owner),
                      Because(aborted.reason), Failures(scene)),
          Style::kBad};
}

// What an earlier claim is worth from here on.
std::string VoidToken(const StoryScene& scene) {
  return scene.before.IsHeld() ? fmt::format(" Token {} is void.", scene.before.token.value()) : "";
}

std::string FirstAcquired(const StoryScene& scene, const events::LeasedT& leased) {
  const std::string end = Until(scene, leased.expires_at);
  const std::string who = scene.names.InFull(leased.owner.get());
  if (scene.before.state != State::dispatched) {
    return fmt::format("{} acquired it under token {}, {}.", who, leased.token, end);
  }
  const Duration waited = scene.time() - scene.before.state_since;
  const bool in_time = scene.time() < scene.before.expires_at;
  return fmt::format(
      "{} came for the dispatch of {} after {}{} and acquired it under token {}, "
      "{}.",
      who, scene.names.Of(scene.before.owner), Span(waited),
      in_time ? "" : ", when that was over already,", leased.token, end);
}

Sentence Leased(const StoryScene& scene, const events::LeasedT& leased) {
  if (leased.how == schema::LeaseHow::first) {
    return {FirstAcquired(scene, leased), Style::kBusy};
  }
  const Duration over = scene.time() - scene.before.expires_at;
  const std::string late =
      over > Duration::zero() ? fmt::format(", {} after its lease was over,", Span(over)) : "";
  if (leased.how == schema::LeaseHow::reacquired) {
    return {fmt::format("{}, the same process,{} acquired it again under token {}, {}.{}",
                        scene.names.Of(leased.owner.get()), late.empty() ? "" : late.substr(1),
                        leased.token, Until(scene, leased.expires_at), VoidToken(scene)),
            Style::kBusy};
  }
  return {fmt::format("{} took it over from {}, whose lease had been over for {}, under token {}, "
                      "{}.{} That counts as recovery {}.",
                      scene.names.InFull(leased.owner.get()),
                      scene.names.Of(leased.taken_from.get()), Span(over), leased.token,
                      Until(scene, leased.expires_at), VoidToken(scene), scene.after.recoveries),
          Style::kBusy};
}

std::string Reasons(const events::RecoveredT& recovered) {
  std::string text;
  for (const schema::StaleReason reason : recovered.reasons) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", schema::EnumNameStaleReason(reason));
  }
  return text;
}

// What became of the recovery's saga.
std::string Decided(const StoryScene& scene, const events::RecoveredT& recovered) {
  if (recovered.decision != schema::RecoverDecision::requeue) {
    return "";
  }
  if (scene.before.state == State::dispatched) {
    return (IsLastFailure(scene) ? " " : " It may be dispatched again. ") + Failures(scene);
  }
  const auto& limit = scene.policy.max_recoveries;
  std::string text =
      recovered.counts
          ? fmt::format(" It may be claimed again. That is recovery {}{}.", scene.after.recoveries,
                        limit ? fmt::format(" of {}", *limit) : "")
          : " It may be claimed again. It is not counted against the limit of recoveries.";
  if (recovered.not_before != 0) {
    text += fmt::format(" Not before {}.", DateAndTime(TimeFromMicros(recovered.not_before)));
  }
  return text;
}

Sentence Recovered(const StoryScene& scene, const events::RecoveredT& recovered) {
  std::string text =
      fmt::format("{} decided: {}. It had seen version {}", ActorOf(scene.event),
                  schema::EnumNameRecoverDecision(recovered.decision), recovered.observed);
  if (const std::string reasons = Reasons(recovered); !reasons.empty()) {
    text += fmt::format(", which the index listed as {}", reasons);
  }
  text += recovered.evidence.empty()
              ? "; it named no evidence."
              : fmt::format("; its evidence: {}.", Quoted(recovered.evidence));
  if (!recovered.section_outcome.empty()) {
    text += fmt::format(" The open section counts as {}.", Quoted(recovered.section_outcome));
  }
  if (recovered.gate != schema::Gate::none) {
    text += fmt::format(" The gate said {}.", schema::EnumNameGate(recovered.gate));
  }
  if (scene.before.IsHeld()) {
    text += fmt::format(
        " The lease of {} is revoked: whatever still comes with token {} is "
        "refused.",
        scene.names.Of(scene.before.owner), scene.before.token.value());
  }
  return {text + Decided(scene, recovered), Style::kStrong};
}

Sentence ForceReleased(const StoryScene& scene, const events::ForceReleasedT& forced) {
  const std::string section = forced.section.empty() ? ""
                                                     : fmt::format(" and its section {} was broken",
                                                                   Quoted(forced.section));
  return {fmt::format("{} took it from {} by force{}{}. Token {} is void.", ActorOf(scene.event),
                      scene.names.Of(scene.before.owner), section, Because(forced.reason),
                      scene.before.token.value()),
          Style::kBad};
}

Sentence OwnerReported(const StoryScene& scene, const events::OwnerReportedT& report) {
  const std::string head = fmt::format(
      "{} reported {} {}{}.", ActorOf(scene.event), scene.names.InFull(report.identity.get()),
      schema::EnumNameVerdict(report.reported), Because(report.evidence));
  const std::string holder = scene.names.Of(scene.before.owner);
  switch (report.verdict) {
    case schema::Verdict::dead:
      return {fmt::format("{} That proves that {}, the owner, is dead: it need not be waited for.",
                          head, holder),
              Style::kBad};
    case schema::Verdict::alive:
      return {fmt::format("{} For a minute nobody may take it from {} for its silence alone.", head,
                          holder),
              Style::kGood};
    case schema::Verdict::unknown: break;
  }
  return {fmt::format("{} That proves nothing about {}.", head, holder)};
}

}  // namespace

Sentence OwnershipSentence(const StoryScene& scene) {
  const auto& body = scene.event.body;
  if (const auto* planned = body.AsPlanned()) {
    return Planned(scene, *planned);
  }
  if (const auto* dispatched = body.AsDispatched()) {
    return Dispatched(scene, *dispatched);
  }
  if (const auto* aborted = body.AsDispatchAborted()) {
    return DispatchAborted(scene, *aborted);
  }
  if (const auto* leased = body.AsLeased()) {
    return Leased(scene, *leased);
  }
  if (const auto* recovered = body.AsRecovered()) {
    return Recovered(scene, *recovered);
  }
  if (const auto* forced = body.AsForceReleased()) {
    return ForceReleased(scene, *forced);
  }
  if (const auto* report = body.AsOwnerReported()) {
    return OwnerReported(scene, *report);
  }
  if (const auto* released = body.AsReleased()) {
    return {fmt::format("{} gave it back{}. It may be claimed again.",
                        scene.names.Of(scene.before.owner), Because(released->reason))};
  }
  return {};
}

}  // namespace sagalog::tools
