// Which events somebody wants to see: `--where` and its small language.
//
//   type=leased,released owner!=w1 label=team=core time>=2026-11-21T03:00:00Z
//
// Terms stand side by side, and all of them must hold. NAME=A,B holds for one of the values,
// NAME!=A,B for none of them; a * in a value stands for anything. `time` and `sequence` take <, <=,
// > and >= too. A value with spaces, commas or quotes stands in double quotes, in which \ takes the
// next character as it is.
//
// Names: type, saga, owner (of the saga once the event has happened, or its last one), queue, label
// (NAME=VALUE, or NAME alone: it has one), actor (or the principal), time, sequence.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schema/events_generated.h"
#include "schema/status.h"
#include "schema/store_time.h"

namespace sagalog::tools {

// What only the saga's history knows, once the event has happened. For an event of the store itself
// all of it is empty.
struct EventSubject {
  using Labels = flatbuffers::Vector<flatbuffers::Offset<schema::Label>>;

  std::string_view owner;
  std::string_view queue;
  // Null = none.
  const Labels* labels = nullptr;
};

class EventFilter {
 public:
  // Takes every event.
  EventFilter() = default;

  // kInvalidArgument says where and what: `column 6: "lease" is no type of event`.
  [[nodiscard]] static Result<EventFilter> Parse(std::string_view text);

  [[nodiscard]] bool IsEmpty() const { return terms_.empty(); }
  // Whether it asks for more than the event says: then Matches needs a subject.
  [[nodiscard]] bool AsksForSaga() const;
  [[nodiscard]] bool AsksForLabels() const;

  // As far as the event itself tells: false = it does not match, whatever the subject.
  [[nodiscard]] bool MayMatch(const events::Event& event) const;
  [[nodiscard]] bool Matches(const events::Event& event, const EventSubject& subject) const;

 private:
  friend class EventFilterParser;

  enum class Name { kType, kSaga, kOwner, kQueue, kLabel, kActor, kTime, kSequence };
  enum class Sign { kIs, kIsNot, kBelow, kAtMost, kAbove, kAtLeast };
  struct Term {
    Name name;
    Sign sign;
    // One of them, for text; types stand in them by their names.
    std::vector<std::string> texts;
    // For time, in microseconds, and sequence.
    std::vector<std::int64_t> numbers;
  };

  [[nodiscard]] static bool IsOfSaga(const Term& term);
  [[nodiscard]] static bool HoldsFor(const Term& term, const events::Event& event,
                                     const EventSubject& subject);

  std::vector<Term> terms_;
};

}  // namespace sagalog::tools
