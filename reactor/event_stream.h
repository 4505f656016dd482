// The events of the log from a place on, piece by piece, as NDJSON or Server-Sent Events.
#pragma once

#include <bitset>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "reactor/event_tail.h"
#include "reactor/store.h"

namespace sagalog {

struct EventQuery {
  // What comes is behind this event; none = everything.
  Sequence seen;
  // Goes on when the end of the log is reached.
  bool follow = false;
  // Empty = of all types.
  std::vector<events::Body> types = {};
  // Empty = of all sagas and of the store.
  std::string saga = {};
  // Server-Sent Events instead of NDJSON.
  bool server_sent = false;
  // Each event as a line of an export, with the bytes that are stored.
  bool stored = false;
  // Without follow: the last event that is given; none = the end of the log.
  Sequence through = {};
};

// Holds no more than a piece, and of a saga's history the places of its events. One thread at a
// time. Everything is borrowed.
class EventStream {
 public:
  // `tail` may be null.
  EventStream(const EventLog& log, EventQuery query, const EventTail* tail);

  // Reads where the events of the saga are, back to where the stream begins. `newest` is the
  // saga's last event; the log ends at `last`.
  Status FindHistory(Sequence newest, Sequence last);

  // The next events, about kEventPieceSizeMax of them; may be empty also where there is more to
  // read, because none was asked for. Reads the log: to be called where that may block.
  [[nodiscard]] Result<std::string> Next();
  // The same from what all followers share, without a look at the log: empty when nothing is there.
  [[nodiscard]] std::string NextShared();
  // Whether there is nothing more to read now.
  [[nodiscard]] bool CaughtUp() const;

  // Everything up to here was given.
  [[nodiscard]] Sequence seen() const { return seen_; }
  [[nodiscard]] bool follow() const { return query_.follow; }
  [[nodiscard]] std::string_view content_type() const;
  // What says that the connection lives: nothing to a reader.
  [[nodiscard]] std::string_view heartbeat() const;

 private:
  [[nodiscard]] bool Wants(events::Body type, std::string_view saga) const;
  void Append(std::string& piece, Sequence sequence, std::string_view json) const;
  void AppendEvent(std::string& piece, const events::Event& event, std::string_view bytes) const;
  Status AppendHistory(std::string& piece);

  const EventLog& log_;
  const EventQuery query_;
  const EventTail* tail_;
  std::bitset<256> types_;
  Sequence seen_;
  // Without follow: the end.
  Sequence end_;
  // The saga's events that are still to be read, newest first, and where the log was when they were
  // found.
  std::vector<Sequence> history_;
  Sequence history_end_;
};

}  // namespace sagalog
