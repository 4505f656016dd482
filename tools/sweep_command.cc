// sagalog sweep: has the reaper act now.
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "tools/command_groups.h"
#include "tools/json_fields.h"
#include "tools/moment.h"
#include "tools/page_reading.h"
#include "tools/saga_sheet.h"
#include "tools/store_client.h"
#include "tools/store_command.h"
#include "tools/table.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

// "2 requeue, 1 limit_reached": counts under their names.
std::string Counts(const json::array& rows, std::string_view name) {
  std::string words;
  for (const json::value& value : rows) {
    const json::object& row = AsObject(value);
    words += fmt::format("{}{} {}", words.empty() ? "" : ", ", NumberIn(row, "count").value_or(0),
                         TextIn(row, name));
  }
  return words.empty() ? "0" : words;
}

Cell OutcomeOf(const json::object& row) {
  const std::string_view outcome = TextIn(row, "outcome");
  if (outcome == "declined") {
    return {fmt::format("left: {}", TextIn(row, "code")), Style::kBad};
  }
  return {fmt::format("{}{}", outcome == "would_recover" ? "would " : "", TextIn(row, "decision")),
          outcome == "would_recover" ? Style::kBusy : Style::kGood};
}

std::string SweepTable(const json::object& report, bool color) {
  Table table({"SAGA", "WAS", "REASONS", "OWNER", "ON_STALE", "OUTCOME", "AGAIN", "DETAIL"});
  for (const json::value& item : ArrayIn(report, "items")) {
    const json::object& row = AsObject(item);
    table.Add({std::string(TextIn(row, "saga_id")), std::string(TextIn(row, "state")),
               ReasonNames(ArrayIn(row, "reasons")),
               std::string(TextIn(ObjectIn(row, "owner"), "owner")),
               std::string(TextIn(row, "on_stale")), OutcomeOf(row),
               ToTheSecond(TextIn(row, "again_at")), std::string(TextIn(row, "detail"))});
  }
  return table.empty() ? std::string() : table.Render(ColumnsOf(STDOUT_FILENO), color);
}

std::string Summary(const json::object& report) {
  if (ArrayIn(report, "items").empty()) {
    return "nothing to do: no stale saga has a policy that says what to do (on_stale); sagalog "
           "stale shows those that are left to people";
  }
  std::string words = fmt::format("{}: {}; left as they were: {}",
                                  FlagIn(report, "dry_run") ? "would recover" : "recovered",
                                  Counts(ArrayIn(report, "recovered"), "decision"),
                                  Counts(ArrayIn(report, "declined"), "code"));
  if (FlagIn(report, "more")) {
    words += "; there are more: sweep again, or raise --limit";
  }
  return words;
}

}  // namespace

void AddSweepCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  struct Arguments {
    std::string limit;
    bool dry_run = false;
  };
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* sweep =
      AddDescribed(app, "sweep", "Recover stale sagas as their policy says (on_stale), once",
                   "sagalog sweep --dry-run");
  sweep->group(kRecoveryGroup);
  sweep->add_flag("--dry-run", arguments->dry_run, "Only say what would be done");
  AddLimitFlag(*sweep, arguments->limit, "Look at so many sagas (100)");
  sweep->callback([arguments, &global, &exit_code] {
    const auto access =
        arguments->dry_run ? StoreClient::Access::kRead : StoreClient::Access::kChange;
    json::object request{{"dry_run", arguments->dry_run}};
    if (const auto limit = ParseNumber(arguments->limit)) {
      request["limit"] = *limit;
    }
    const auto client = StoreClient::Open(global, access, exit_code);
    const auto report =
        client ? client->Ask("POST", "/v1/admin/sweep", json::serialize(request)) : std::nullopt;
    if (!report) {
      return;
    }
    if (global.json) {
      PrintLine(client->raw());
      return;
    }
    if (const std::string table = SweepTable(*report, global.color); !table.empty()) {
      PrintLine(table);
    }
    PrintLine(Summary(*report));
  });
}

}  // namespace sagalog::tools
