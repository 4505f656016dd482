#include "reactor/api_export.h"

#include <limits>
#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "reactor/api_problem.h"
#include "reactor/event_stream.h"

namespace sagalog {

ApiResponse ExportEvents(const ApiCall& call) {
  constexpr std::uint64_t kNumberMax = std::numeric_limits<std::uint64_t>::max();
  ApiQuery query(call.target.parameters);
  EventQuery events;
  events.form = EventForm::kExport;
  const std::string format = query.Text("format");
  if (!format.empty() && format != "ndjson") {
    query.Refuse("format", fmt::format("\"{}\" is no format of a stream: ndjson. A directory in "
                                       "another one is written by sagalog audit export",
                                       format));
  }
  events.seen = Sequence(query.Number("from", 1, 1, kNumberMax) - 1);
  events.through = Sequence(query.Number("to", call.Last().value(), 1, kNumberMax));
  if (auto problem = NotReady(call, query)) {
    return *std::move(problem);
  }
  if (events.seen >= events.through || events.through > call.Last()) {
    return Problem(call.Last(), Status(Code::kInvalidArgument,
                                       fmt::format("from {} to {}: the log holds events 1 to {}",
                                                   events.seen.value() + 1, events.through.value(),
                                                   call.Last().value())));
  }
  ApiResponse response;
  auto stream = std::make_shared<EventStream>(call.store.log(), std::move(events), nullptr);
  response.content_type = stream->content_type();
  response.events = std::move(stream);
  return response;
}

}  // namespace sagalog
