// The newest events of the log: read once, and rendered at most once, for all who follow it.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "eventlog/event_log.h"
#include "schema/events_generated.h"
#include "schema/id.h"

namespace sagalog {

// How a stream of events is written: a line of JSON each, Server-Sent Events, the event's bytes
// with their size in four bytes, little-endian, before them, or the lines of an export.
enum class EventForm { kLines, kServerSent, kBytes, kExport };

// An event that followers share. Thread-safe.
class TailEvent {
 public:
  // The bytes have passed VerifyEvent.
  explicit TailEvent(std::string_view bytes);

  [[nodiscard]] Sequence sequence() const { return Sequence(event_->sequence()); }
  [[nodiscard]] events::Body type() const { return event_->body_type(); }
  [[nodiscard]] std::string_view saga() const {
    return event_->saga_id() == nullptr ? std::string_view() : event_->saga_id()->string_view();
  }
  [[nodiscard]] std::string_view bytes() const { return event_.bytes(); }
  // Rendered when somebody wants it first: a filter may let nobody see it.
  [[nodiscard]] const std::string& json() const;

 private:
  const StoredEvent event_;
  mutable std::once_flag rendered_;
  mutable std::string json_;
};

// Which events somebody wants.
struct EventFilter {
  bool operator==(const EventFilter& other) const = default;

  // None set = of all types.
  std::bitset<256> types = {};
  // Empty = of all sagas and of the store.
  std::string saga = {};

  [[nodiscard]] bool Wants(events::Body type, std::string_view of) const {
    return (types.none() || types.test(static_cast<std::size_t>(type))) &&
           (saga.empty() || saga == of);
  }
};

// What everybody gets who is at the same place of the log and wants the same in the same form.
struct SharedPiece {
  Sequence seen;     // before it
  Sequence through;  // all up to here was looked at
  EventForm form;
  EventFilter filter;
  std::uint64_t events;
  std::string text;
};

// Holds about kEventTailSizeMax bytes of events without a gap between them. Thread-safe.
class EventTail {
 public:
  struct Found {
    std::vector<std::shared_ptr<const TailEvent>> events;
    // All up to here was looked at; none when what is right behind `seen` is no longer, or not yet,
    // here.
    Sequence through;
  };
  static constexpr Sequence kAnySequence{std::numeric_limits<std::uint64_t>::max()};

  // The wanted events behind `seen`, of about `bytes_max` together and none behind `through`. What
  // is not wanted costs a look at a line of memory.
  [[nodiscard]] Found Behind(Sequence seen, std::size_t bytes_max, const EventFilter& filter = {},
                             Sequence through = kAnySequence) const;
  // The last event behind `seen` before which nothing is wanted; `seen` where the next one is, or
  // where that cannot be told without waiting for another thread.
  [[nodiscard]] Sequence SkipUnwanted(Sequence seen, const EventFilter& filter) const;
  // Takes what the log has got since; of more than the tail can hold, the newest.
  Status CatchUp(const EventLog& log);
  // The last event here; none = empty.
  [[nodiscard]] Sequence Last() const;

  // A piece that begins behind `seen`, if one was kept lately; null = none.
  [[nodiscard]] std::shared_ptr<const SharedPiece> FindPiece(Sequence seen, EventForm form,
                                                             const EventFilter& filter) const;
  // The same for a thread that must not wait for another: null also while one is being kept.
  [[nodiscard]] std::shared_ptr<const SharedPiece> TryFindPiece(Sequence seen, EventForm form,
                                                                const EventFilter& filter) const;
  // What was rendered before an event was redacted is not kept after it: `redactions` says how many
  // there were before the rendering.
  void KeepPiece(std::shared_ptr<const SharedPiece> piece, std::uint64_t redactions);
  [[nodiscard]] std::uint64_t CountRedactions() const;

 private:
  // What a filter looks at stands beside the event.
  struct Row {
    std::shared_ptr<const TailEvent> event;
    std::size_t saga_hash;
    events::Body type;

    // False = it is not.
    [[nodiscard]] bool MayBeWanted(const EventFilter& filter, std::size_t filter_saga_hash) const;
  };

  // What is looked at first of a piece stands beside it.
  struct KeptPiece {
    Sequence seen;
    EventForm form;
    std::shared_ptr<const SharedPiece> piece;
  };

  void Add(std::string_view bytes);
  // With mutex_ held and something here: the first sequence, and whether what is right behind
  // `seen` is here.
  [[nodiscard]] std::uint64_t First() const { return rows_.front().event->sequence().value(); }
  [[nodiscard]] bool Holds(Sequence seen) const {
    return !rows_.empty() && seen >= Sequence(First() - 1) && seen.value() < First() + rows_.size();
  }
  // With pieces_mutex_ held.
  [[nodiscard]] std::shared_ptr<const SharedPiece> FindKept(Sequence seen, EventForm form,
                                                            const EventFilter& filter) const;

  mutable std::mutex mutex_;
  std::deque<Row> rows_;   // guarded by mutex_
  std::size_t bytes_ = 0;  // guarded by mutex_

  mutable std::mutex pieces_mutex_;  // may be taken with mutex_ held
  std::deque<KeptPiece> pieces_;     // guarded by pieces_mutex_
  std::size_t pieces_bytes_ = 0;     // guarded by pieces_mutex_
  std::uint64_t redactions_ = 0;     // guarded by pieces_mutex_
};

}  // namespace sagalog
