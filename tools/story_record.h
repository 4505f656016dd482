// What the log holds about one saga: all that a story of it is told from.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eventlog/event_log.h"
#include "reactor/past_place.h"
#include "schema/events_generated.h"
#include "schema/status.h"
#include "schema/store_time.h"

namespace sagalog::tools {

struct StoryRecord {
  std::string saga_id;
  // In the order of the log: the saga's own, those of the store, the ends of those it depends on,
  // and the plannings of its children.
  std::vector<StoredEvent> events;
  // Refused commands about it that were kept, oldest first.
  std::vector<events::NotedRefusalT> refusals;
  // Refusals of the saga's time of which only the number is known, of any saga.
  std::uint64_t refusals_counted = 0;
  // The last sequence that was read.
  Sequence last;
  // The moment the story is told at: nothing has happened after it.
  StoreTime now;
};

// Reads the log from its beginning through `at`, or to its end. `now` is the moment of the last
// event that was read, or the moment asked for. kNotFound when the saga was not planned by then;
// kCorruption when the log cannot be read so far.
[[nodiscard]] Result<StoryRecord> ReadStoryRecord(const EventLog& log, std::string_view saga_id,
                                                  const std::optional<PastPlace>& at);

// Adds refusals that are not yet noted in the log, each once.
void AddWaitingRefusals(StoryRecord& record, std::vector<events::NotedRefusalT> waiting);

}  // namespace sagalog::tools
