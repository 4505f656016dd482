// What the commands that look back have in common: a log that is only read, and moments of it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "reactor/past_place.h"
#include "schema/status.h"
#include "schema/store_time.h"
#include "tools/global_options.h"
#include "tools/record.h"

namespace sagalog::tools {

struct PastRecord {
  Record record;
  // Of what can be read: where the log is damaged, the event before.
  Sequence last;
  // What is past: of a store's own directory up to the present; of a copy up to its last event,
  // because what happened then is not in it.
  StoreTime now;
  // Whether it was named, and is not the store's own directory.
  bool is_copy = false;

  [[nodiscard]] const EventLog& log() const { return *record.log; }
};

// The log of `path`, or of the data directory where that is empty.
[[nodiscard]] Result<PastRecord> OpenPastRecord(const GlobalOptions& global,
                                                const std::string& path);

// kCorruption, naming the damage, when the moment lies behind it; else as FindPlace, and
// kInvalidArgument when it is before the first event.
[[nodiscard]] Result<PastPlace> FindPlace(const PastRecord& record, const PastMoment& moment);

// Says on standard error where the log is damaged, if it is.
void WarnOfDamage(const GlobalOptions& global, std::string_view command, const PastRecord& record);

// Says what went wrong on standard error; the exit code that goes with it.
[[nodiscard]] int Complain(const GlobalOptions& global, std::string_view command,
                           const Status& status);

// "sequence 17, 2026-11-21T03:18:00.000000Z".
[[nodiscard]] std::string PlaceInWords(const PastPlace& place);

}  // namespace sagalog::tools
