// What each event of a story says, in a sentence.
#pragma once

#include <string>

#include "projections/policy.h"
#include "projections/saga.h"
#include "schema/events_generated.h"
#include "tools/story_words.h"
#include "tools/terminal.h"

namespace sagalog::tools {

// An event, and the saga on both sides of it.
struct StoryScene {
  const events::EventT& event;
  const Saga& before;
  const Saga& after;
  const EffectivePolicy& policy;
  const OwnerNames& names;

  [[nodiscard]] StoreTime time() const { return TimeFromMicros(event.time); }
};

struct Sentence {
  std::string text;
  Style style = Style::kPlain;
};

// Of the saga's own events, heartbeats excepted: several of those are one sentence.
[[nodiscard]] Sentence SagaSentence(const StoryScene& scene);

// Planning, ownership and recovery.
[[nodiscard]] Sentence OwnershipSentence(const StoryScene& scene);
// What is done about effects, sections, clean-ups and the end.
[[nodiscard]] Sentence WorkSentence(const StoryScene& scene);

// Of the store's events and those of other sagas; empty = it does not touch the saga.
[[nodiscard]] Sentence OutsideSentence(const StoryScene& scene);

// "wt (worktree \"/wt/9\")".
[[nodiscard]] std::string CompensationInWords(const schema::CompensationT& compensation);

}  // namespace sagalog::tools
