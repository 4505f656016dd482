// What a picture of sagas over time shows, before anybody draws it. Pure: made from events alone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "eventlog/event_log.h"
#include "schema/saga_generated.h"
#include "schema/status.h"
#include "schema/store_time.h"

namespace sagalog::tools {

// More could be neither drawn nor read; beyond it a narrower window has to be asked for.
inline constexpr std::size_t kTimelineSagasMax = 2'000;
inline constexpr std::size_t kTimelineItemsMax = 100'000;
// Heartbeats beyond these are counted and not drawn.
inline constexpr std::size_t kTimelineTicksMax = 200'000;

enum class TimelineKind : std::uint8_t {
  // Spans of a saga's strip: whose it is, at a glance.
  kWaiting,     // planned
  kDispatched,  // claimed, no worker yet
  kOwned,
  kFinalising,  // the lease is over, the process has exited, its finaliser has time
  kGrace,       // the lease is over, the store was away: the owner may come back
  kUnclear,     // the lease is over or the owner dead, and nobody has reclaimed it
  kCleaning,    // compensating
  kOwing,       // ended, and not cleaned up
  // Spans of an owner's lane.
  kLease,
  kSilence,  // no sign of life for more than half of what the lease lasts
  kLapsed,   // still the last owner, but its lease is over
  kSection,
  kClaim,  // of a compensation
  // Marks.
  kAcquired,
  kExit,
  kRefused,
  kDecision,
  kNote,
  kCompleted,
  kEndedBadly,
  kCleaned,
  kCleaningFailed,
  // Of the store: spans, then marks.
  kAway,
  kClock,
  kRestored,
};

// The name of a kind in the documents: "unclear".
[[nodiscard]] const char* TimelineKindName(TimelineKind kind);

struct TimelineItem {
  TimelineKind kind;
  // The same for a mark.
  StoreTime from;
  StoreTime to;
  // Of the saga's lanes; 0 is its strip.
  std::uint32_t lane = 0;
  Sequence sequence;
  // What happened, in a sentence, as callers wrote it: renderers escape it.
  std::string text;
  // A word or two for inside a bar; empty = none.
  std::string label = {};
};

struct TimelineLane {
  std::string name;
  // "strip", "owner", "actor" (never owned it), "decisions", "cleaning".
  std::string role;
  // Heartbeats.
  std::vector<StoreTime> ticks;
};

struct TimelineSaga {
  std::string id;
  std::string key;
  schema::State state = schema::State::planned;
  std::vector<TimelineLane> lanes;
  std::vector<TimelineItem> items;
  // How long its ownership was unclear in the window, and how long it was its owner's to come back
  // to after an absence of the store.
  Duration unclear{};
  Duration grace{};
  std::uint64_t refusals = 0;
};

struct Timeline {
  StoreTime from;
  StoreTime to;
  Sequence last;
  // By their planning.
  std::vector<TimelineSaga> sagas;
  std::vector<TimelineItem> store;
  // Heartbeats that are not drawn.
  std::uint64_t ticks_left_out = 0;
  // Where the record stops being what was written; empty = nowhere.
  std::string damage;
};

struct TimelineRequest {
  // Empty = all.
  std::set<std::string, std::less<>> sagas;
  std::optional<StoreTime> from;
  // Without one, `now`; of sagas that were asked for and are all over, the last that happened to
  // them.
  std::optional<StoreTime> to;
  // What is true at the end of the log goes on until then; none = the last event's time.
  std::optional<StoreTime> now;
};

// Reads the log from its beginning. kNotFound when a saga that was asked for is not in it;
// kInvalidArgument, saying what to do, when the window is empty or holds more than fits.
[[nodiscard]] Result<Timeline> ReadTimeline(const EventLog& log, const TimelineRequest& request);

}  // namespace sagalog::tools
