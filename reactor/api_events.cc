// The log as a stream: from a place on, and on.
#include <algorithm>
#include <charconv>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "reactor/api_call.h"
#include "reactor/api_problem.h"
#include "reactor/event_stream.h"
#include "schema/json.h"

namespace sagalog {
namespace {

// "leased,terminal".
void ReadTypes(ApiQuery& query, EventQuery& events) {
  const std::string list = query.Text("type");
  for (std::size_t start = 0; start < list.size();) {
    const std::size_t end = std::min(list.size(), list.find(',', start));
    const std::string name = list.substr(start, end - start);
    start = end + 1;
    const auto type = EventTypeNamed(name);
    if (!type) {
      query.Refuse("type", fmt::format("\"{}\" is no type of event", name));
      return;
    }
    events.types.push_back(*type);
  }
}

// Where a reader stopped: what it says it has seen counts more than where its URL begins.
Status ReadPlace(const ApiCall& call, ApiQuery& query, EventQuery& events) {
  const std::uint64_t from = query.Number("from", 1, 1, std::numeric_limits<std::uint64_t>::max());
  events.seen = Sequence(from - 1);
  const std::string& seen = call.request.last_event_id;
  if (seen.empty()) {
    return {};
  }
  std::uint64_t number = 0;
  const auto [stopped, error] = std::from_chars(seen.data(), seen.data() + seen.size(), number);
  if (error != std::errc() || stopped != seen.data() + seen.size()) {
    return {Code::kInvalidArgument, "Last-Event-ID: it is not the sequence of an event"};
  }
  events.seen = Sequence(number);
  return {};
}

// A problem, or the stream that the query asks for.
std::optional<ApiResponse> ReadEventQuery(const ApiCall& call, ApiQuery& query,
                                          EventQuery& events) {
  ReadTypes(query, events);
  const Status place = ReadPlace(call, query, events);
  events.follow = query.Flag("follow");
  if (call.request.accept.find("text/event-stream") != std::string::npos) {
    events.form = EventForm::kServerSent;
  }
  if (auto problem = NotReady(call, query)) {
    return problem;
  }
  if (!place.ok()) {
    return Problem(call.Last(), place);
  }
  if (events.seen > call.Last()) {
    return Problem(call.Last(),
                   Status(Code::kInvalidArgument,
                          fmt::format("from: the log ends at {}; was it restored from a backup?",
                                      call.Last().value())));
  }
  return std::nullopt;
}

ApiResponse Stream(std::shared_ptr<EventStream> stream) {
  ApiResponse response;
  response.content_type = stream->content_type();
  response.events = std::move(stream);
  return response;
}

}  // namespace

ApiResponse FollowEvents(const ApiCall& call) {
  ApiQuery query(call.target.parameters);
  EventQuery events;
  events.saga = query.Text("saga");
  if (auto problem = ReadEventQuery(call, query, events)) {
    return *std::move(problem);
  }
  return Stream(
      std::make_shared<EventStream>(call.store.log(), std::move(events), call.options.tail));
}

ApiResponse FollowSaga(const ApiCall& call) {
  ApiQuery query(call.target.parameters);
  EventQuery events;
  if (auto problem = ReadEventQuery(call, query, events)) {
    return *std::move(problem);
  }
  const Sequence last = call.Last();
  const auto newest = call.store.History(call.name, false, 1);
  if (!newest.ok()) {
    return Problem(last, newest.status(), call.name);
  }
  events.saga = call.name;
  auto stream =
      std::make_shared<EventStream>(call.store.log(), std::move(events), call.options.tail);
  const Status found = stream->FindHistory(Sequence(newest->back()->sequence()), last);
  return found.ok() ? Stream(std::move(stream)) : Problem(call.Last(), found, call.name);
}

}  // namespace sagalog
