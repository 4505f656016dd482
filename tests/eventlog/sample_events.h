// Events for tests, chained as the store chains them.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eventlog/event_log.h"

namespace sagalog {

// Makes the events that follow each other in one log.
class SampleEvents {
 public:
  // The next event: an annotation of `saga` with `text`, or its planning if it is the first.
  std::string Next(std::string_view saga, std::string_view text = "note");
  std::string Heartbeat(std::string_view saga);
  // `count` events of the sagas a, b and c by turns.
  std::vector<std::string> Batch(std::size_t count);

  // The sequence of the last one made.
  [[nodiscard]] Sequence last() const { return last_; }
  // As if the events behind `last` had never been made.
  void ForgetBeyond(Sequence last);

 private:
  struct Saga {
    std::uint64_t version = 0;
    std::uint64_t previous = 0;
    std::uint64_t transition = 0;
  };

  std::string Encode(std::string_view saga, events::EventT event);

  Sequence last_;
  std::map<std::string, Saga, std::less<>> sagas_;
  std::map<Sequence, std::map<std::string, Saga, std::less<>>>
      before_;  // by the event that follows
};

// Appends all of `events` in one batch behind what is there.
Status AppendAll(EventLog& log, const std::vector<std::string>& events);

// The bytes of every event, or the error that ended the scan.
Result<std::vector<std::string>> ReadAll(const EventLog& log);

}  // namespace sagalog
