// The events of the log from a place on, piece by piece, in one of the forms of EventForm.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reactor/event_tail.h"
#include "reactor/store.h"

namespace sagalog {

// Of the name that its JSON has; none = there is no such type.
[[nodiscard]] std::optional<events::Body> EventTypeNamed(std::string_view name);

struct EventQuery {
  // What comes is behind this event; none = everything.
  Sequence seen;
  // Goes on when the end of the log is reached.
  bool follow = false;
  // Empty = of all types.
  std::vector<events::Body> types = {};
  // Empty = of all sagas and of the store.
  std::string saga = {};
  EventForm form = EventForm::kLines;
  // Without follow: the last event that is given; none = the end of the log.
  Sequence through = {};
};

// Events in their form, maybe shared with others.
using EventPiece = std::shared_ptr<const std::string>;

// Holds no more than a piece, and of a saga's history the places of its events. One thread at a
// time. Everything is borrowed.
class EventStream {
 public:
  // `tail` may be null.
  EventStream(const EventLog& log, EventQuery query, EventTail* tail);

  // Reads where the events of the saga are, back to where the stream begins. `newest` is the
  // saga's last event; the log ends at `last`.
  Status FindHistory(Sequence newest, Sequence last);

  // The next events, about kEventPieceSizeMax of them; may be empty also where there is more to
  // read, because none was asked for. Reads the log: to be called where that may block.
  [[nodiscard]] Result<std::string> Next();
  // The same for one who follows: from what others have made of it already, or from what all share
  // of the end of the log, or else from the log itself. Never null.
  [[nodiscard]] Result<EventPiece> NextOfFollower();
  // The same where nothing may block: what others have made of it, else nothing, having passed over
  // what is not wanted. Never null; those at the same place who want the same are given the same
  // text.
  [[nodiscard]] EventPiece NextShared();
  // Whether there is nothing more to read now.
  [[nodiscard]] bool CaughtUp() const;
  // How many events may still be given; without a word about it, any number.
  void Allow(std::uint64_t events) { allowed_ += events; }
  void AllowOnly(std::uint64_t events) { allowed_ = events; }
  [[nodiscard]] std::uint64_t allowed() const { return allowed_; }

  // Everything up to here was given.
  [[nodiscard]] Sequence seen() const { return seen_; }
  [[nodiscard]] bool follow() const { return query_.follow; }
  [[nodiscard]] std::string_view content_type() const;
  // What says that the connection lives: nothing to a reader.
  [[nodiscard]] std::string_view heartbeat() const;

 private:
  [[nodiscard]] bool MayShare() const {
    return tail_ != nullptr && query_.follow && history_end_.IsNone() && allowed_ > 0;
  }
  [[nodiscard]] EventPiece Take(std::shared_ptr<const SharedPiece> piece);
  [[nodiscard]] std::string NextOfTail();
  [[nodiscard]] Sequence PieceEnd() const;
  // `json` is called where it is needed.
  template <typename Json>
  void Append(std::string& piece, Sequence sequence, std::string_view bytes, const Json& json);
  Status AppendHistory(std::string& piece);

  static constexpr std::uint64_t kUnbounded = std::numeric_limits<std::uint64_t>::max();

  const EventLog& log_;
  const EventQuery query_;
  EventTail* tail_;
  EventFilter filter_;
  std::uint64_t allowed_ = kUnbounded;
  Sequence seen_;
  // Without follow: the end.
  Sequence end_;
  // The saga's events that are still to be read, newest first, and where the log was when they were
  // found.
  std::vector<Sequence> history_;
  Sequence history_end_;
};

}  // namespace sagalog
