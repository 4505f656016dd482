#include "reactor/past_place.h"

#include <charconv>
#include <cstdint>
#include <string>

#include <fmt/format.h>

namespace sagalog {
namespace {

Result<PastPlace> PlaceOf(const EventLog& log, Sequence last, Sequence sequence) {
  if (sequence > last || sequence.IsNone()) {
    return Status(
        Code::kInvalidArgument,
        sequence.IsNone()
            ? fmt::format("there is no event 0: the log ends at sequence {} and begins at 1",
                          last.value())
            : fmt::format("the log ends at sequence {}", last.value()));
  }
  ASSIGN_OR_RETURN(const StoredEvent event, log.Read(sequence));
  return PastPlace{sequence, TimeFromMicros(event->time())};
}

// How many events had happened by `time`.
Result<Sequence> CountThrough(const EventLog& log, Sequence last, StoreTime time) {
  std::uint64_t happened = 0;
  std::uint64_t later = last.value() + 1;
  while (happened + 1 < later) {
    const std::uint64_t middle = happened + (later - happened) / 2;
    ASSIGN_OR_RETURN(const StoredEvent event, log.Read(Sequence(middle)));
    (TimeFromMicros(event->time()) <= time ? happened : later) = middle;
  }
  return Sequence(happened);
}

}  // namespace

Result<PastPlace> FindPlace(const EventLog& log, Sequence last, const PastMoment& at,
                            StoreTime now) {
  if (const Sequence* sequence = std::get_if<Sequence>(&at)) {
    return PlaceOf(log, last, *sequence);
  }
  const StoreTime time = std::get<StoreTime>(at);
  if (time > now) {
    return Status(Code::kInvalidArgument,
                  fmt::format("it is only {}: what is to come is not known", FormatTime(now)));
  }
  ASSIGN_OR_RETURN(const Sequence through, CountThrough(log, last, time));
  return PastPlace{through, time};
}

Result<PastMoment> ParsePastMoment(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  if (const auto parsed = std::from_chars(text.data(), end, number);
      parsed.ec == std::errc() && parsed.ptr == end) {
    return PastMoment(Sequence(number));
  }
  if (const auto time = ParseTime(text); time.ok()) {
    return PastMoment(*time);
  }
  if (ParseTime(std::string(text) + "Z").ok()) {
    return Status(Code::kInvalidArgument,
                  fmt::format("\"{}\" names no zone: end it with Z, or with an offset such as "
                              "+01:00",
                              text));
  }
  return Status(Code::kInvalidArgument,
                fmt::format("\"{}\" is neither a sequence nor a time (RFC 3339)", text));
}

}  // namespace sagalog
