#include "tools/story_index.h"

#include <fmt/format.h>

#include "tools/moment.h"

namespace sagalog::tools {
namespace {

using schema::StaleReason;

std::string Listed(StaleReason reason) {
  return fmt::format("The index lists it as {} from here on", schema::EnumNameStaleReason(reason));
}

// "The lease of w1 ended. It had been silent for 30 s, since 00:00:00."
std::string Silence(const Saga& saga, StoreTime at, const OwnerNames& names) {
  return fmt::format("The lease of {} ended: no sign of life for {}, since {}.",
                     names.Of(saga.owner), Span(at - saga.heartbeat_at),
                     TimeOfDay(saga.heartbeat_at));
}

std::string SectionName(const Saga& saga) {
  return saga.Section() == nullptr ? "" : Quoted(saga.Section()->name.view());
}

std::string OverdueAt(const Saga& saga, const StalenessContext& context) {
  const auto at = SectionOverdueAt(saga, context.policy);
  return at ? fmt::format(" until {}, when the section is overdue", TimeOfDay(*at)) : "";
}

std::string InGrace(const Saga& saga, const StalenessContext& context, StoreTime at,
                    const OwnerNames& names) {
  const auto end = GraceEnd(saga, context);
  const std::string head =
      at > saga.expires_at
          ? fmt::format("The lease of {} had ended while the store was away, at {}.",
                        names.Of(saga.owner), TimeOfDay(saga.expires_at))
          : Silence(saga, at, names);
  return fmt::format(
      "{} It is in grace{}: only {} itself may acquire it, and nobody may recover "
      "it.",
      head, end ? " until " + TimeOfDay(*end) : "", names.Of(saga.owner));
}

}  // namespace

Sentence IndexSentence(const Saga& saga, const StalenessContext& context, StaleReason reason,
                       StoreTime at, const OwnerNames& names) {
  const std::string who = names.Of(saga.owner);
  switch (reason) {
    case StaleReason::lease_expired:
      return {fmt::format("{} {}: anybody may recover it or take it over.",
                          at == saga.expires_at ? Silence(saga, at, names)
                                                : std::string("What held recovery off is over."),
                          Listed(reason)),
              Style::kBad};
    case StaleReason::dispatch_expired:
      return {fmt::format("The dispatch to {} ended and no worker had come for it. {}.", who,
                          Listed(reason)),
              Style::kBad};
    case StaleReason::in_grace: return {InGrace(saga, context, at, names), Style::kBusy};
    case StaleReason::section_open:
      return {fmt::format("{} It is inside the section {}, whose outcome nobody knows: recovery is "
                          "held off{}.",
                          Silence(saga, at, names), SectionName(saga), OverdueAt(saga, context)),
              Style::kBad};
    case StaleReason::section_overdue:
      return {fmt::format("{} has been inside the section {} for too long, since {}. {}: whoever "
                          "recovers it has to say how the section turned out.",
                          who, SectionName(saga), TimeOfDay(saga.Section()->since), Listed(reason)),
              Style::kBad};
    case StaleReason::exited:
      return {fmt::format("The process of {} has exited and nobody finalised it in time. {}: "
                          "anybody may recover it or take it over.",
                          who, Listed(reason)),
              Style::kBad};
    case StaleReason::max_running:
      return {
          fmt::format("{} has held it for {}, which is all that max_running allows. {}: {} still "
                      "owns it, but anybody may recover it.",
                      who, Span(at - saga.acquired_at), Listed(reason), who),
          Style::kBad};
    case StaleReason::no_progress:
      return {
          fmt::format("{} renews its lease but has told no progress for {}, as long as "
                      "progress_timeout allows. {}: {} still owns it, but anybody may recover it.",
                      who, Span(context.policy.progress_timeout.value_or(Duration::zero())),
                      Listed(reason), who),
          Style::kBad};
    case StaleReason::dependency_dead:
      return {fmt::format("It can never start: what it waits for ended otherwise than completed. "
                          "{}.",
                          Listed(reason)),
              Style::kBad};
    case StaleReason::dispatch_exhausted:
      return {fmt::format("Too many dispatches in a row failed: it is dispatched no more, though a "
                          "worker may still acquire it. {}.",
                          Listed(reason)),
              Style::kBad};
    default: break;
  }
  // The events say the others themselves.
  return {};
}

Sentence ClaimOverSentence(const CompensationRecord& record) {
  return {fmt::format("{} has claimed the clean-up of {} and not said how it went. The claim is "
                      "over: anybody may claim it.",
                      Printable(record.claim->executor.view()), Printable(record.id.view())),
          Style::kBad};
}

Sentence FinalisingSentence(const Saga& saga, const StalenessContext& context,
                            const OwnerNames& names) {
  const Duration grace = context.policy.finalize_grace.value_or(Duration::zero());
  return {fmt::format("The lease of {} ended. Its process had exited with code {}, so its "
                      "finaliser has until {} (finalize_grace {}) before it counts as silent.",
                      names.Of(saga.owner), saga.Exit()->code,
                      TimeOfDay(std::max(saga.expires_at, saga.Exit()->at + grace)),
                      FormatDuration(grace)),
          Style::kBusy};
}

}  // namespace sagalog::tools
