#include "tools/saga_tables.h"

#include <utility>
#include <vector>

#include <boost/json/object.hpp>

#include "tools/answer_text.h"
#include "tools/json_fields.h"
#include "tools/moment.h"
#include "tools/saga_sheet.h"
#include "tools/table.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

std::string OwnerName(const json::object& row) {
  return std::string(TextIn(ObjectIn(row, "owner"), "owner"));
}

// When a lease ends, as short as a table wants it.
std::string Expiry(const json::object& row, std::optional<StoreTime> now) {
  const auto time = ParseTime(TextIn(row, "expires_at"));
  if (!time.ok()) {
    return "";
  }
  return now ? Relative(*time, *now) : ToTheSecond(TextIn(row, "expires_at"));
}

// Columns that are worth less than what would have to be cut for them. A queue is worth its column
// when there are several.
std::vector<std::string> Uninteresting(const json::array& items) {
  for (const json::value& item : items) {
    if (TextIn(AsObject(item), "queue") != "default") {
      return {};
    }
  }
  return {"QUEUE"};
}

}  // namespace

std::string SagaTable(const json::array& items, std::optional<StoreTime> now, std::size_t columns,
                      bool color) {
  Table table({"SAGA", "STATE", "STAGE", "OWNER", "EXPIRES", "QUEUE", "KEY", "STALE", "REASON"});
  for (const json::value& item : items) {
    const json::object& saga = AsObject(item);
    const std::string state(TextIn(saga, "state"));
    const bool ended = !TextIn(saga, "ended_at").empty();
    table.Add({std::string(TextIn(saga, "saga_id")), Cell(state, StateStyle(state)),
               std::string(TextIn(saga, "stage")), OwnerName(saga), ended ? "" : Expiry(saga, now),
               std::string(TextIn(saga, "queue")), std::string(TextIn(saga, "key")),
               Cell(ReasonNames(ArrayIn(saga, "stale")), Style::kBad),
               std::string(TextIn(saga, "reason"))});
  }
  table.MayDrop(Uninteresting(items));
  return table.empty() ? "no sagas" : table.Render(columns, color);
}

std::string StaleTable(const json::array& items, std::optional<StoreTime> now, std::size_t columns,
                       bool color) {
  Table table({"SAGA", "STATE", "REASONS", "SINCE", "OWNER", "VERSION", "QUEUE", "STAGE", "KEY"});
  for (const json::value& item : items) {
    const json::object& row = AsObject(item);
    const std::string state(TextIn(row, "state"));
    const json::array& reasons = ArrayIn(row, "reasons");
    const auto since =
        reasons.empty() ? std::string_view() : TextIn(AsObject(reasons.front()), "since");
    table.Add({std::string(TextIn(row, "saga_id")), Cell(state, StateStyle(state)),
               Cell(ReasonNames(reasons), Style::kBad), MomentCell(since, now), OwnerName(row),
               InWords(row, "version"), std::string(TextIn(row, "queue")),
               std::string(TextIn(row, "stage")), std::string(TextIn(row, "key"))});
  }
  std::vector<std::string> droppable = Uninteresting(items);
  droppable.insert(droppable.end(), {"KEY", "STAGE", "QUEUE", "OWNER"});
  table.MayDrop(std::move(droppable));
  return table.empty() ? "nothing is stale" : table.Render(columns, color);
}

}  // namespace sagalog::tools
