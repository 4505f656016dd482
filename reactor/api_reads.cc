// What only looks: sagas, histories, queues and the projections' lists.
#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "reactor/api_call.h"
#include "reactor/api_problem.h"
#include "reactor/audit_trail.h"
#include "reactor/kept_reserve.h"
#include "reactor/list_reading.h"
#include "reactor/past_looks.h"
#include "reactor/past_place.h"
#include "schema/json.h"
#include "schema/json_writer.h"

namespace sagalog {
namespace {

using schema::RefusalCode;

// A page of events holds no more JSON than this: payloads and annotations make events large.
constexpr std::size_t kEventPageBytesMax = 32UL << 20;

std::optional<PastMoment> ReadMoment(ApiQuery& query) {
  const std::string at = query.Text("at");
  if (at.empty()) {
    return std::nullopt;
  }
  const auto moment = ParsePastMoment(at);
  if (!moment.ok()) {
    query.Refuse("at", moment.status().text());
    return std::nullopt;
  }
  return *moment;
}

// A page always says its cursor, while the schema leaves an empty one out; one of the past also
// what the clock showed.
template <typename Page>
ApiResponse ShowPage(const ApiCall& call, const Result<Page>& page,
                     std::optional<StoreTime> then = std::nullopt) {
  if (!page.ok()) {
    return Problem(call.Last(), page.status());
  }
  std::string json = ToJson(*page);
  if (then) {
    json.insert(1, fmt::format(R"("time":"{}",)", FormatTime(*then)));
  }
  if (page->cursor.empty()) {
    json.insert(1, R"("cursor":"",)");
  }
  return Answer(std::move(json));
}

// Copies what a list or one of its rows says, of now or of then; a problem instead where it cannot
// be had.
std::optional<ApiResponse> Copy(const ApiCall& call, const std::optional<PastMoment>& at,
                                ListReading& reading) {
  const Status copied = CopyList(call.store, at, reading);
  return copied.ok() ? std::nullopt : std::optional(Problem(call.Last(), copied));
}

// An object with the sequence that it is true of; of the past also with what the clock showed.
ApiResponse ShowReading(std::string json, const ListReading& reading,
                        const std::optional<PastMoment>& at) {
  if (at) {
    json.insert(1, fmt::format(R"("time":"{}",)", FormatTime(reading.time())));
  }
  return Answer(WithSequence(std::move(json), reading.sequence()));
}

// What the caller has not asked `query` for is refused.
template <typename Reading>
ApiResponse ReadList(const ApiCall& call, ApiQuery& query,
                     ApiResponse (*show)(const ApiCall& call, Reading& reading,
                                         const std::optional<PastMoment>& at)) {
  PageQuery page;
  page.limit = query.Limit(kPageRowsDefault);
  page.cursor = query.Text("cursor");
  const std::optional<PastMoment> at = ReadMoment(query);
  if (auto problem = NotReady(call, query)) {
    return *std::move(problem);
  }
  const Result<PageWindow> window = WindowOf(page);
  if (!window.ok()) {
    return Problem(call.Last(), window.status());
  }
  Reading reading(*window);
  if (auto problem = Copy(call, at, reading)) {
    return *std::move(problem);
  }
  return show(call, reading, at);
}

template <typename Reading>
ApiResponse ReadPage(const ApiCall& call, ApiQuery& query) {
  return ReadList<Reading>(
      call, query, [](const ApiCall& asked, Reading& reading, const std::optional<PastMoment>& at) {
        return ShowPage(asked, reading.Write(asked.store.log()),
                        at ? std::optional(reading.time()) : std::nullopt);
      });
}

template <typename Reading>
ApiResponse ReadPage(const ApiCall& call) {
  ApiQuery query(call.target.parameters);
  return ReadPage<Reading>(call, query);
}

template <typename Reading>
ApiResponse ReadOne(const ApiCall& call, Reading& reading) {
  ApiQuery query(call.target.parameters);
  const std::optional<PastMoment> at = ReadMoment(query);
  if (auto problem = NotReady(call, query)) {
    return *std::move(problem);
  }
  if (auto problem = Copy(call, at, reading)) {
    return *std::move(problem);
  }
  return ShowReading(ToJson(reading.Write()), reading, at);
}

void ReadState(ApiQuery& query, SagaQuery& sagas) {
  const std::string name = query.Text("state");
  if (name.empty()) {
    return;
  }
  for (const schema::State state : schema::EnumValuesState()) {
    if (name == schema::EnumNameState(state)) {
      sagas.state = state;
      return;
    }
  }
  query.Refuse("state", fmt::format("\"{}\" is no state of a saga", name));
}

void ReadLabel(ApiQuery& query, SagaQuery& sagas) {
  const std::string label = query.Text("label");
  if (label.empty()) {
    return;
  }
  const std::size_t equals = label.find('=');
  if (equals == std::string::npos || equals == 0) {
    query.Refuse("label", fmt::format("\"{}\" is not of the form KEY=VALUE", label));
    return;
  }
  sagas.label_name = label.substr(0, equals);
  sagas.label_value = label.substr(equals + 1);
}

// A page of a history, gathered from its newest event backwards.
struct EventPage {
  struct Item {
    std::string json;
    std::uint64_t version;
  };
  std::vector<Item> items;  // newest first
  std::size_t bytes = 0;
  // Where the page before it begins, and the saga's version there; 0 = it reaches the first event.
  std::uint64_t older = 0;
  std::uint64_t older_version = 0;
};

Result<EventPage> GatherEvents(const ApiCall& call, Sequence newest, bool transitions_only,
                               std::size_t limit) {
  EventPage page;
  // Ends the walk when the page is full; told apart from errors by `older`.
  const Status full(Code::kCancelled, "the page is full");
  const Status status = call.store.log().WalkBack(
      newest, transitions_only, [&](const events::Event& event, std::string_view) -> Status {
        if (event.saga_id() == nullptr || event.saga_id()->string_view() != call.name) {
          return Status(Code::kInvalidArgument, "cursor: it is of another history");
        }
        if (page.items.size() == limit || page.bytes > kEventPageBytesMax) {
          page.older = event.sequence();
          page.older_version = event.version();
          return full;
        }
        page.items.push_back({EventToJson(event), event.version()});
        page.bytes += page.items.back().json.size();
        return {};
      });
  if (!status.ok() && page.older == 0) {
    return status;
  }
  return page;
}

// A refused command in a history: no event of the saga, so without a sequence and a version of its
// own.
std::string RefusalToJson(const RefusalRecord& record) {
  std::string json = fmt::format(R"({{"type":"refused","saga_id":)");
  AppendJsonString(json, record.facts.saga_id);
  json += fmt::format(R"(,"time":"{}")", FormatTime(TimeFromMicros(record.facts.time)));
  if (!record.noted.IsNone()) {
    json += fmt::format(R"(,"noted":{})", record.noted.value());
  }
  events::NotedRefusalT facts = record.facts;
  facts.saga_id.clear();
  facts.time = 0;
  return json + R"(,"body":)" + ToJson(facts) + "}";
}

// Puts each refusal behind the event that it met, as far as that is on the page. `newest` is the
// saga's version; on the first page also the refusals behind its newest event are shown.
void AddRefusals(const std::vector<RefusalRecord>& records, std::uint64_t newest, bool first_page,
                 EventPage& page) {
  const std::uint64_t last = first_page || page.items.empty() ? newest : page.items.front().version;
  for (const RefusalRecord& record : records) {
    const std::uint64_t met = std::min(record.facts.actual_version.value_or(newest), newest);
    if (met > last || (page.older != 0 && met <= page.older_version)) {
      continue;
    }
    // The page is newest first: before the first item that is not newer.
    const auto place =
        std::find_if(page.items.begin(), page.items.end(),
                     [met](const EventPage::Item& item) { return item.version <= met; });
    page.items.insert(place, {RefusalToJson(record), met});
  }
}

}  // namespace

ApiResponse ListSagas(const ApiCall& call) {
  ApiQuery query(call.target.parameters);
  SagaQuery sagas;
  ReadState(query, sagas);
  ReadLabel(query, sagas);
  sagas.owner = query.Text("owner");
  sagas.queue = query.Text("queue");
  sagas.key = query.Text("key");
  sagas.stage = query.Text("stage");
  sagas.limit = query.Limit(kPageRowsDefault);
  sagas.cursor = query.Text("cursor");
  const std::optional<PastMoment> at = ReadMoment(query);
  if (auto problem = NotReady(call, query)) {
    return *std::move(problem);
  }
  if (!at) {
    return ShowPage(call, call.store.List(sagas));
  }
  const Result<PastSagas> then = ListThen(call.store, *at, sagas);
  return then.ok() ? ShowPage(call, Result<answers::SagaPageT>(then->page), then->time)
                   : Problem(call.Last(), then.status());
}

ApiResponse ShowSaga(const ApiCall& call) {
  ApiQuery query(call.target.parameters);
  const std::optional<PastMoment> moment = ReadMoment(query);
  if (auto problem = NotReady(call, query)) {
    return *std::move(problem);
  }
  const auto saga = moment ? call.store.FindPast(call.name, *moment) : call.store.Find(call.name);
  return saga.ok() ? Answer(ToJson(*saga)) : Problem(call.Last(), saga.status(), call.name);
}

ApiResponse ShowEvents(const ApiCall& call) {
  if (ApiQuery(call.target.parameters).Flag("follow")) {
    return FollowSaga(call);
  }
  ApiQuery query(call.target.parameters);
  static_cast<void>(query.Flag("follow"));
  const std::size_t limit = query.Limit(kPageRowsMax);
  const bool transitions_only = query.Flag("transitions_only");
  const bool with_refusals = query.Flag("refusals");
  const Sequence from(query.Number("cursor", 0, 1, std::numeric_limits<std::uint64_t>::max()));
  if (auto problem = NotReady(call, query)) {
    return *std::move(problem);
  }
  const Sequence last = call.Last();
  const auto newest = call.store.History(call.name, transitions_only, 1);
  if (!newest.ok()) {
    return Problem(last, newest.status(), call.name);
  }
  if (from > last) {
    return Problem(last, Status(Code::kInvalidArgument, "cursor: it is beyond the end of the log"));
  }
  CHECK(!newest->empty());  // Every saga has been planned.
  const Sequence start = from.IsNone() ? Sequence(newest->back()->sequence()) : from;
  auto page = GatherEvents(call, start, transitions_only, limit);
  if (!page.ok()) {
    return Problem(last, page.status(), call.name);
  }
  if (with_refusals) {
    const auto records = call.store.Refusals(call.name);
    if (!records.ok()) {
      return Problem(last, records.status(), call.name);
    }
    AddRefusals(*records, newest->back()->version(), from.IsNone(), *page);
  }
  std::string json = "{\"items\":[";
  for (auto item = page->items.rbegin(); item != page->items.rend(); ++item) {
    json += item == page->items.rbegin() ? "" : ",";
    json += item->json;
  }
  json += fmt::format("],\"cursor\":\"{}\"}}",
                      page->older == 0 ? std::string() : std::to_string(page->older));
  return Answer(WithSequence(std::move(json), last));
}

ApiResponse ListQueues(const ApiCall& call) {
  ApiQuery query(call.target.parameters);
  return ReadList<QueuesReading>(
      call, query, [](const ApiCall&, QueuesReading& reading, const std::optional<PastMoment>& at) {
        std::string json = R"({"items":[)";
        for (const answers::QueueT& queue : reading.Write()) {
          json += (json.back() == '[' ? "" : ",") + ToJson(queue);
        }
        json += fmt::format(R"(],"cursor":"{}"}})", reading.cursor());
        return ShowReading(std::move(json), reading, at);
      });
}

ApiResponse ShowQueue(const ApiCall& call) {
  QueueReading reading(call.name);
  return ReadOne(call, reading);
}

ApiResponse ShowPolicy(const ApiCall& call) {
  PolicyReading reading;
  return ReadOne(call, reading);
}

ApiResponse ListEffects(const ApiCall& call) {
  ApiQuery query(call.target.parameters);
  if (const std::string in_doubt = query.Text("in_doubt");
      !in_doubt.empty() && in_doubt != "true") {
    query.Refuse("in_doubt", "must be true: all effects of a saga are in the saga itself");
  }
  return ReadPage<EffectsReading>(call, query);
}

ApiResponse ListSections(const ApiCall& call) { return ReadPage<SectionsReading>(call); }

ApiResponse ListStale(const ApiCall& call) { return ReadPage<StaleReading>(call); }

ApiResponse ListCompensations(const ApiCall& call) { return ReadPage<BacklogReading>(call); }

ApiResponse ListOwners(const ApiCall& call) { return ReadPage<OwnersReading>(call); }

ApiResponse ShowStatus(const ApiCall& call) {
  ApiQuery query(call.target.parameters);
  if (auto problem = NotReady(call, query)) {
    return *std::move(problem);
  }
  const answers::StatusT status = call.store.Describe();
  std::string json = ToJson(status);
  json.back() = ',';
  // As many as a page holds: beyond that nobody counts any more.
  PageQuery all;
  all.limit = kPageRowsMax;
  if (const auto in_doubt = call.store.EffectsInDoubt(all); in_doubt.ok()) {
    json += fmt::format(R"("effects_in_doubt":{},)", in_doubt->items.size());
  }
  if (const AuditTrail* trail = AuditTrail::Of(call.store.log())) {
    json += fmt::format(R"("audit_lag_events":{},)", trail->Lag());
  }
  json += fmt::format(R"("reserve":"{}","reaper":{}}})", KeepsReserve(call.store) ? "kept" : "none",
                      ToJson(call.store.DescribeReaper()));
  return Answer(WithSequence(std::move(json), Sequence(status.last_sequence)));
}

}  // namespace sagalog
