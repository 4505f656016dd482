// The sentences about what happened around a saga: to the store, the clock, its relatives.
#include <algorithm>

#include <fmt/format.h>

#include "tools/story_events.h"

namespace sagalog::tools {
namespace {

// What an absence of the store means for the owner.
std::string Mercy(const StoryScene& scene) {
  if (!scene.after.IsHeld()) {
    return "";
  }
  return fmt::format(" Nobody could renew a lease meanwhile, {} neither.",
                     scene.names.Of(scene.after.owner));
}

Sentence Away(const StoryScene& scene, std::int64_t since, const std::string& how) {
  const StoreTime from = TimeFromMicros(since);
  return {fmt::format("The store was away for {}, since {}: {}.{}", Span(scene.time() - from),
                      TimeOfDay(from), how, Mercy(scene)),
          Style::kBad};
}

Sentence Stepped(const StoryScene& scene, const events::ClockSteppedT& stepped) {
  const Duration step(stepped.step);
  return {fmt::format("The wall clock jumped {} by {}. The store's time did not, so {}.",
                      step < Duration::zero() ? "back" : "ahead", Span(step),
                      scene.after.IsHeld() ? "the lease stands as it did" : "nothing moved"),
          Style::kBusy};
}

Sentence Restored(const StoryScene& scene, const events::StoreRestoredT& restored) {
  std::string text = fmt::format(
      "The store was restored from a backup of its first {} events. "
      "What it had answered after that is lost.",
      restored.old_size);
  if (scene.after.IsHeld()) {
    text += fmt::format(" Tokens given from here on stand above {}; {} has to acquire again.",
                        restored.token_offset, scene.names.Of(scene.after.owner));
  }
  return {text, Style::kBad};
}

Sentence QueueConfigured(const StoryScene& scene, const events::QueueConfiguredT& queue) {
  if (queue.queue != scene.after.queue.view()) {
    return {};
  }
  std::string text =
      fmt::format("{} configured the queue {}", ActorOf(scene.event), Quoted(queue.queue));
  if (queue.frozen) {
    text += *queue.frozen ? ": frozen, nothing of it may start" : ": no longer frozen";
  }
  if (queue.limit) {
    text += *queue.limit < 0 ? ": no limit" : fmt::format(": at most {} at once", *queue.limit);
  }
  return {text + (queue.policy ? "; its policy changed." : "."), Style::kDim};
}

Sentence Relative(const StoryScene& scene) {
  if (const auto* end = scene.event.body.AsTerminal()) {
    return {fmt::format("{}, which it waits for, ended: {}.", scene.event.saga_id,
                        schema::EnumNameState(end->state)),
            end->state == State::completed ? Style::kPlain : Style::kBad};
  }
  if (scene.event.body.AsPlanned() != nullptr) {
    return {fmt::format("Its child {} was planned.", scene.event.saga_id), Style::kDim};
  }
  return {};
}

}  // namespace

Sentence OutsideSentence(const StoryScene& scene) {
  const auto& body = scene.event.body;
  if (!scene.event.saga_id.empty()) {
    return Relative(scene);
  }
  if (const auto* opened = body.AsStoreOpened()) {
    return opened->away_since == 0
               ? Sentence{}
               : Away(scene, opened->away_since, "it was down and has been opened again");
  }
  if (const auto* suspended = body.AsHostSuspended()) {
    return Away(scene, suspended->away_since,
                "it took no turn, its host asleep or its process stopped");
  }
  if (const auto* stepped = body.AsClockStepped()) {
    return Stepped(scene, *stepped);
  }
  if (const auto* restored = body.AsStoreRestored()) {
    return Restored(scene, *restored);
  }
  if (const auto* queue = body.AsQueueConfigured()) {
    return QueueConfigured(scene, *queue);
  }
  if (body.AsPolicyChanged() != nullptr) {
    return {fmt::format("{} changed the store's policy.", ActorOf(scene.event)), Style::kDim};
  }
  return {};
}

}  // namespace sagalog::tools
