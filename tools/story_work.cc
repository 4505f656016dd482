// The sentences about what is done with a saga: stages, sections, effects, clean-ups, the end.
#include <fmt/format.h>

#include "schema/json.h"
#include "tools/story_events.h"

namespace sagalog::tools {
namespace {

Sentence SectionEntered(const StoryScene& scene, const events::SectionEnteredT& entered) {
  return {fmt::format("{} entered the section {}, for at most {}: nobody may cancel or recover it "
                      "before it is left or overdue.",
                      scene.names.Of(scene.after.owner), Quoted(entered.name),
                      Span(Duration(entered.max_age))),
          Style::kBusy};
}

Sentence SectionLeft(const StoryScene& scene, const events::SectionLeftT& left) {
  std::string text =
      fmt::format("The section {} was left, outcome {}", Quoted(left.name), Quoted(left.outcome));
  if (const SectionRecord* section = scene.before.Section()) {
    text += fmt::format(", after {}", Span(scene.time() - section->since));
  }
  text += ".";
  if (left.final != schema::SectionFinal::none) {
    text +=
        fmt::format(" That was the last step: it is {}.", schema::EnumNameSectionFinal(left.final));
  }
  return {text};
}

Sentence CancelRequested(const StoryScene& scene, const events::CancelRequestedT& cancel) {
  std::string text =
      fmt::format("{} asked to cancel it{}.", ActorOf(scene.event), Because(cancel.reason));
  if (const SectionRecord* section = scene.before.Section();
      section != nullptr && !scene.before.IsOwnerDead()) {
    text += fmt::format(" {} is inside the section {}, so the cancel waits until that is left.",
                        scene.names.Of(scene.before.owner), Quoted(section->name.view()));
  }
  return {text, Style::kBad};
}

std::string EndOf(const StoryScene& scene, bool by_owner) {
  const std::string who = scene.names.Of(scene.before.owner);
  return by_owner ? fmt::format("{} ended it", who) : std::string("It ended");
}

// What the end leaves to be cleaned up.
std::string Leaves(const Saga& after) {
  std::uint64_t owed = 0;
  for (const CompensationRecord& record : after.compensations) {
    owed += record.IsSettled() ? 0U : 1U;
  }
  return owed == 0 ? ""
                   : fmt::format(" {} owed.", owed == 1 ? "1 clean-up is"
                                                        : fmt::format("{} clean-ups are", owed));
}

Sentence Ended(const StoryScene& scene, const events::TerminalT& end) {
  std::string text = fmt::format("{}: {}{}.", EndOf(scene, end.by_owner),
                                 schema::EnumNameState(end.state), Because(end.reason));
  if (!end.result.empty()) {
    text += fmt::format(" Its result: {}.", Quoted(end.result));
  }
  if (!end.no_compensation_reason.empty()) {
    text += fmt::format(" There is nothing to clean up, it said{}.",
                        Because(end.no_compensation_reason));
  }
  return {text + Leaves(scene.after),
          end.state == State::completed || end.state == State::compensated ? Style::kGood
                                                                           : Style::kBad};
}

Sentence Compensating(const StoryScene& scene, const events::CompensatingT& compensating) {
  return {
      fmt::format("{} gave it up to be undone{}.{}",
                  compensating.by_owner ? scene.names.Of(scene.before.owner) : ActorOf(scene.event),
                  Because(compensating.reason), Leaves(scene.after)),
      Style::kBad};
}

Sentence CompensationSettled(const StoryScene& scene, const events::CompensationSettledT& settled) {
  const std::string id = Printable(settled.id);
  std::string executor = ActorOf(scene.event);
  for (const CompensationRecord& record : scene.before.compensations) {
    if (record.id.view() == settled.id && record.claim) {
      executor = Printable(record.claim->executor.view());
    }
  }
  switch (settled.outcome) {
    case schema::CompensationOutcome::done:
      return {fmt::format("{} cleaned up {}{}.", executor, id, Because(settled.detail)),
              Style::kGood};
    case schema::CompensationOutcome::failed:
      return {fmt::format("{} could not clean up {}{}. It stays owed, for whoever claims it next.",
                          executor, id, Because(settled.detail)),
              Style::kBad};
    case schema::CompensationOutcome::waived: break;
  }
  return {fmt::format("{} waived the clean-up of {}{}.", ActorOf(scene.event), id,
                      Because(settled.detail))};
}

Sentence CompensationClaimed(const StoryScene& scene, const events::CompensationClaimedT& claimed) {
  const StoreTime end = TimeFromMicros(claimed.expires_at);
  return {fmt::format("{} claimed the clean-up of {} (attempt {}), until {} ({}).",
                      Printable(claimed.executor), Printable(claimed.id), claimed.attempt,
                      TimeOfDay(end), Span(end - scene.time())),
          Style::kBusy};
}

Sentence EffectSentence(const StoryScene& scene) {
  if (const auto* begun = scene.event.body.AsEffectBegun()) {
    return {fmt::format("{} announced the irreversible effect {} (fingerprint {}), which nobody is "
                        "granted twice.",
                        scene.names.Of(scene.before.owner), Quoted(begun->effect),
                        Quoted(begun->fingerprint)),
            Style::kBusy};
  }
  if (const auto* settled = scene.event.body.AsEffectSettled()) {
    return {fmt::format("The effect {} turned out as {}{}.", Quoted(settled->effect),
                        Quoted(settled->outcome), Because(settled->result))};
  }
  return {};
}

Sentence ExitSentence(const StoryScene& scene, const events::ExitRecordedT& exit) {
  const std::string head = fmt::format("The process of {} exited with code {}",
                                       scene.names.Of(scene.before.owner), exit.exit_code);
  return {scene.before.IsHeld()
              ? head + ". That is evidence only: it is finalised under the same lease."
              : head + ", after the end: kept as evidence.",
          exit.exit_code == 0 ? Style::kPlain : Style::kBad};
}

Sentence NoteSentence(const StoryScene& scene) {
  const auto& body = scene.event.body;
  const std::string actor = ActorOf(scene.event);
  if (const auto* note = body.AsAnnotated()) {
    return {fmt::format("{} noted: {}.", actor, Quoted(note->text)), Style::kDim};
  }
  if (const auto* parked = body.AsParked()) {
    return {fmt::format("{} parked it{}: nobody may claim it.", actor, Because(parked->reason))};
  }
  if (body.AsUnparked() != nullptr) {
    return {fmt::format("{} unparked it: it may be claimed.", actor)};
  }
  if (const auto* stage = body.AsStageAdvanced()) {
    return {fmt::format("The stage went from {} to {}.", Quoted(stage->previous_stage),
                        Quoted(stage->stage))};
  }
  return {};
}

}  // namespace

std::string CompensationInWords(const schema::CompensationT& compensation) {
  std::string text = Printable(compensation.id);
  if (!compensation.kind.empty() || !compensation.target.empty()) {
    text += fmt::format(" ({}{}{})", Printable(compensation.kind),
                        compensation.kind.empty() || compensation.target.empty() ? "" : " ",
                        compensation.target.empty() ? "" : Quoted(compensation.target));
  }
  return text;
}

Sentence WorkSentence(const StoryScene& scene) {
  const auto& body = scene.event.body;
  if (const auto* entered = body.AsSectionEntered()) {
    return SectionEntered(scene, *entered);
  }
  if (const auto* left = body.AsSectionLeft()) {
    return SectionLeft(scene, *left);
  }
  if (const auto* cancel = body.AsCancelRequested()) {
    return CancelRequested(scene, *cancel);
  }
  if (const auto* end = body.AsTerminal()) {
    return Ended(scene, *end);
  }
  if (const auto* compensating = body.AsCompensating()) {
    return Compensating(scene, *compensating);
  }
  if (const auto* settled = body.AsCompensationSettled()) {
    return CompensationSettled(scene, *settled);
  }
  if (const auto* claimed = body.AsCompensationClaimed()) {
    return CompensationClaimed(scene, *claimed);
  }
  if (const auto* registered = body.AsCompensationRegistered()) {
    return {fmt::format("To be cleaned up afterwards: {}.",
                        CompensationInWords(*registered->compensation))};
  }
  if (const auto* exit = body.AsExitRecorded()) {
    return ExitSentence(scene, *exit);
  }
  const Sentence effect = EffectSentence(scene);
  return effect.text.empty() ? NoteSentence(scene) : effect;
}

Sentence SagaSentence(const StoryScene& scene) {
  Sentence sentence = OwnershipSentence(scene);
  if (sentence.text.empty()) {
    sentence = WorkSentence(scene);
  }
  if (sentence.text.empty()) {
    sentence.text = fmt::format("{} happened.", EventTypeName(scene.event.body.type));
  }
  return sentence;
}

}  // namespace sagalog::tools
