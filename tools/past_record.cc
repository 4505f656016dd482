#include "tools/past_record.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "reactor/clock.h"
#include "tools/exit_code.h"
#include "tools/store_client.h"

namespace sagalog::tools {

Result<PastRecord> OpenPastRecord(const GlobalOptions& global, const std::string& path) {
  const std::filesystem::path place =
      path.empty() ? DataDirectoryPath(global.data) : std::filesystem::path(path);
  PastRecord past;
  ASSIGN_OR_RETURN(past.record, OpenRecord(place));
  past.last = past.log().Last();
  if (past.record.damage) {
    past.last = std::min(past.last, Sequence(past.record.damage->first_damaged.value() - 1));
  }
  if (!past.last.IsNone()) {
    ASSIGN_OR_RETURN(const StoredEvent newest, past.log().Read(past.last));
    past.now = TimeFromMicros(newest->time());
  }
  past.is_copy = !path.empty();
  if (!past.is_copy) {
    past.now = std::max(past.now, SystemClock().Read().wall);
  }
  return past;
}

Result<PastPlace> FindPlace(const PastRecord& record, const PastMoment& moment) {
  if (record.last.IsNone() && !record.record.damage) {
    return Status(Code::kInvalidArgument, "nothing has happened yet: the log is empty");
  }
  const StoreTime* const time = std::get_if<StoreTime>(&moment);
  if (record.is_copy && !record.record.damage && time != nullptr && *time > record.now) {
    return Status(Code::kInvalidArgument,
                  fmt::format("the record ends at {} (event {}): what happened then is not in it",
                              FormatTime(record.now), record.last.value()));
  }
  auto place = FindPlace(record.log(), record.last, moment, record.now);
  if (record.record.damage) {
    const Sequence* sequence = std::get_if<Sequence>(&moment);
    const bool behind = sequence != nullptr ? *sequence > record.last
                                            : !place.ok() || place->through == record.last;
    if (behind) {
      return Status(Code::kCorruption,
                    fmt::format("{}; what can be read ends at sequence {}",
                                record.record.damage->text, record.last.value()));
    }
  }
  RETURN_IF_ERROR(place.status());
  if (place->through.IsNone()) {
    ASSIGN_OR_RETURN(const StoredEvent first, record.log().Read(Sequence(1)));
    return Status(Code::kInvalidArgument,
                  fmt::format("the log begins at {}", FormatTime(TimeFromMicros(first->time()))));
  }
  return place;
}

void WarnOfDamage(const GlobalOptions& global, std::string_view command, const PastRecord& record) {
  if (record.record.damage) {
    PrintError(global, fmt::format("{}: {}; what is shown ends at sequence {}", command,
                                   record.record.damage->text, record.last.value()));
  }
}

int Complain(const GlobalOptions& global, std::string_view command, const Status& status) {
  const bool refused = status.code() == Code::kInvalidArgument || status.code() == Code::kNotFound;
  const char* const next = status.code() == Code::kCorruption ? " (sagalog doctor explains)" : "";
  PrintError(global, fmt::format("{}: {}{}", command, status.text(), next));
  return refused ? kExitRefused : kExitUnavailable;
}

std::string PlaceInWords(const PastPlace& place) {
  return fmt::format("sequence {}, {}", place.through.value(), FormatTime(place.moment));
}

}  // namespace sagalog::tools
