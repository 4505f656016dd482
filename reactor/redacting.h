// Taking a secret out of an event that is in the log.
#pragma once

#include <optional>
#include <string>

#include "reactor/store.h"

namespace sagalog {

struct RedactOptions {
  // The event that loses its texts.
  Sequence sequence;
  // Why, for all to read.
  std::string reason;
  std::string actor;
  std::string principal;
  // The same request again is answered with the first one's answer.
  std::optional<schema::RequestId> request_id;
};

struct RedactReport {
  // False = the event had lost its texts before, by a redaction or a compaction.
  bool done = false;
  bool replayed = false;
  // The event's leaf hash as it was written, in base64.
  std::string hash;
  // Of the event `redacted`; where nothing was done, of the log's end.
  Sequence sequence;
};

// Appends `redacted` and puts what RedactedBytes leaves (projections/redaction.h) in the event's
// place; when this returns, no file of the data directory holds the old bytes. Cut off behind the
// append, it is finished by the next opening for writing, or by the next redaction. kNotFound when
// there is no such event; kConflict when the request id was used for something else.
[[nodiscard]] Result<RedactReport> RedactOne(Store& store, const RedactOptions& options);

// What an earlier process began; OK when there is nothing. Not while a redaction is under way.
[[nodiscard]] Status FinishRedacting(Store::Engine& engine);

}  // namespace sagalog
