#include "tools/past_view.h"

#include <unistd.h>

#include <filesystem>
#include <memory>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include "reactor/past_saga.h"
#include "reactor/past_store.h"
#include "schema/json.h"
#include "schema/text_view.h"
#include "tools/answer_text.h"
#include "tools/json_fields.h"
#include "tools/saga_sheet.h"
#include "tools/saga_tables.h"
#include "tools/standard_streams.h"
#include "tools/store_client.h"
#include "tools/table.h"
#include "tools/terminal.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

// Of our own making, so that it is an object.
json::object Parsed(const std::string& text) { return json::parse(text).as_object(); }

std::string CountsInWords(const Statistics& statistics) {
  std::string words;
  for (const schema::State state : schema::EnumValuesState()) {
    const std::uint64_t count = statistics.sagas_by_state[static_cast<std::size_t>(state)];
    if (count > 0) {
      words +=
          fmt::format("{}{} {}", words.empty() ? "" : ", ", count, schema::EnumNameState(state));
    }
  }
  return words.empty() ? "no sagas" : words;
}

std::string CountsToJson(const Statistics& statistics) {
  std::string text;
  for (const schema::State state : schema::EnumValuesState()) {
    const std::uint64_t count = statistics.sagas_by_state[static_cast<std::size_t>(state)];
    if (count > 0) {
      text +=
          fmt::format(R"({}"{}":{})", text.empty() ? "" : ",", schema::EnumNameState(state), count);
    }
  }
  return text;
}

// Each saga as JSON, in the order of planning.
template <typename Take>
Status VisitViews(const EventLog& log, const PastStore& store, bool live_only, const Take& take) {
  SagaViewer viewer(log);
  return store.VisitSagas(Sequence(), !live_only, [&](const SagaSnapshot& snapshot) -> Status {
    ASSIGN_OR_RETURN(const auto view, viewer.View(snapshot));
    viewer.Forget();
    take(ToJson(*view));
    return {};
  });
}

template <typename Row>
void WriteRows(const char* name, const std::vector<Row>& rows) {
  WriteOutput(fmt::format(R"(,"{}":[)", name));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    WriteOutput((i == 0 ? "" : ",") + ToJson(rows[i]));
  }
  WriteOutput("]");
}

// Piece by piece: a store may hold more sagas than memory.
Status WriteJson(const EventLog& log, const PastStore& store, bool live_only) {
  WriteOutput(fmt::format(R"({{"sequence":{},"time":"{}","counts":{{{}}},"sagas":[)",
                          store.place().through.value(), FormatTime(store.place().moment),
                          CountsToJson(store.projections().statistics())));
  bool first = true;
  RETURN_IF_ERROR(VisitViews(log, store, live_only, [&](const std::string& saga) {
    WriteOutput((first ? "" : ",") + saga);
    first = false;
  }));
  WriteOutput("]");
  WriteRows("stale", store.Stale());
  WriteRows("queues", store.Queues());
  PrintLine("}");
  return {};
}

std::string QueueTable(const PastStore& store, std::size_t columns, bool color) {
  Table table({"QUEUE", "PLANNED", "SLOTS USED", "LIMIT", "FROZEN"});
  for (const answers::QueueT& queue : store.Queues()) {
    table.Add({queue.queue, fmt::format("{}", queue.planned), fmt::format("{}", queue.slots_used),
               queue.limit ? fmt::format("{}", *queue.limit) : std::string("off"),
               Cell(queue.frozen ? "yes" : "", Style::kBad)});
  }
  return table.empty() ? "" : table.Render(columns, color);
}

// kNotFound, which says whether the saga came later or never.
Status WhenPlanned(const PastRecord& record, const PastPlace& place, const std::string& saga) {
  std::string when = fmt::format("nor is there one up to event {}", record.last.value());
  const Status found(Code::kCancelled, "that is it");
  const Status scanned = record.log().Scan(
      place.through.Next(), record.last, [&](const events::Event& event, std::string_view) {
        if (event.body_type() != events::Body::Planned || View(event.saga_id()) != saga) {
          return Status();
        }
        when = fmt::format("it was planned later, by event {} at {}", event.sequence(),
                           FormatTime(TimeFromMicros(event.time())));
        return found;
      });
  if (!scanned.ok() && scanned.code() != Code::kCancelled) {
    return scanned;
  }
  return Status(Code::kNotFound, fmt::format("there was no saga {} then: {}", saga, when));
}

}  // namespace

Status ShowPastSaga(const GlobalOptions& global, const PastRecord& record, const PastPlace& place,
                    const std::string& saga) {
  const Result<SagaSnapshot> found = FoldPastSaga(record.log(), saga, place);
  if (found.status().code() == Code::kNotFound) {
    return WhenPlanned(record, place, saga);
  }
  ASSIGN_OR_RETURN(const SagaSnapshot snapshot, found);
  ASSIGN_OR_RETURN(const auto view, SagaViewer(record.log()).View(snapshot));
  const std::string text = ToJson(*view);
  if (global.json) {
    PrintLine(text);
    return {};
  }
  PrintLine(Paint("as it was at " + PlaceInWords(place), Style::kDim, global.color));
  PrintLine(SagaSheet(Parsed(text), place.moment, ColumnsOf(STDOUT_FILENO), global.color));
  return {};
}

Status ShowPastStore(const GlobalOptions& global, const PastRecord& record, const PastPlace& place,
                     bool live_only) {
  ASSIGN_OR_RETURN(const auto store,
                   PastStore::Open(record.log(), std::filesystem::temp_directory_path()));
  RETURN_IF_ERROR(store->MoveTo(place));
  if (global.json) {
    return WriteJson(record.log(), *store, live_only);
  }
  const std::size_t columns = ColumnsOf(STDOUT_FILENO);
  PrintLine(Paint("as it was at " + PlaceInWords(place), Style::kDim, global.color));
  PrintLine(CountsInWords(store->projections().statistics()));
  json::array sagas;
  RETURN_IF_ERROR(VisitViews(record.log(), *store, live_only,
                             [&](const std::string& saga) { sagas.push_back(Parsed(saga)); }));
  if (!sagas.empty()) {
    PrintLine("\n" + SagaTable(sagas, place.moment, columns, global.color));
  }
  json::array stale;
  for (const answers::StaleRowT& row : store->Stale()) {
    stale.push_back(Parsed(ToJson(row)));
  }
  PrintLine("\nThe stale index then:");
  PrintLine(StaleTable(stale, place.moment, columns, global.color));
  if (const std::string queues = QueueTable(*store, columns, global.color); !queues.empty()) {
    PrintLine("\n" + queues);
  }
  return {};
}

}  // namespace sagalog::tools
