// Commands that only look at sagas.
#include <unistd.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "schema/saga_generated.h"
#include "tools/answer_text.h"
#include "tools/command_groups.h"
#include "tools/event_text.h"
#include "tools/exit_code.h"
#include "tools/json_fields.h"
#include "tools/moment.h"
#include "tools/page_reading.h"
#include "tools/saga_sheet.h"
#include "tools/saga_tables.h"
#include "tools/standard_streams.h"
#include "tools/store_client.h"
#include "tools/store_command.h"
#include "tools/table.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

void PrintSagas(const GlobalOptions& global, std::optional<StoreTime> now,
                const json::array& items) {
  PrintLine(SagaTable(items, now, ColumnsOf(STDOUT_FILENO), global.color));
}

void PrintStale(const GlobalOptions& global, std::optional<StoreTime> now,
                const json::array& items) {
  PrintLine(StaleTable(items, now, ColumnsOf(STDOUT_FILENO), global.color));
}

std::string StateNames() {
  std::string names;
  for (const schema::State state : schema::EnumValuesState()) {
    names += names.empty() ? "" : ", ";
    names += schema::EnumNameState(state);
  }
  return names;
}

std::string CheckState(const std::string& word) {
  for (const schema::State state : schema::EnumValuesState()) {
    if (word == schema::EnumNameState(state)) {
      return "";
    }
  }
  return fmt::format("\"{}\" is none of {}", word, StateNames());
}

std::string CheckLabel(const std::string& label) {
  const std::size_t equals = label.find('=');
  const bool good = equals != std::string::npos && equals > 0;
  return good ? "" : fmt::format("\"{}\" is not NAME=VALUE", label);
}

void AddListCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  struct Filters {
    std::string state, owner, queue, key, label, stage;
    PageOptions page;
  };
  const auto filters = std::make_shared<Filters>();
  CLI::App* ls = AddDescribed(app, "ls", "List sagas in the order of their planning",
                              "sagalog ls --state running --label team=core");
  ls->group(kLookingGroup);
  ls->add_option("--state", filters->state, "The state: " + StateNames())
      ->type_name("WORD")
      ->check(CheckState);
  ls->add_option("--owner", filters->owner, "The owner's name")->type_name("NAME");
  ls->add_option("--queue", filters->queue, "The queue")->type_name("NAME");
  ls->add_option("--key", filters->key, "The natural key: all generations")->type_name("TEXT");
  ls->add_option("--label", filters->label, "A label")->type_name("NAME=VALUE")->check(CheckLabel);
  ls->add_option("--stage", filters->stage, "The stage")->type_name("NAME");
  AddPageFlags(*ls, filters->page);
  ls->callback([filters, &global, &exit_code] {
    UrlQuery query;
    query.Add("state", filters->state);
    query.Add("owner", filters->owner);
    query.Add("queue", filters->queue);
    query.Add("key", filters->key);
    query.Add("label", filters->label);
    query.Add("stage", filters->stage);
    ShowPages(global, "/v1/sagas", query, filters->page, exit_code, PrintSagas);
  });
}

void AddStaleCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  const auto page = std::make_shared<PageOptions>();
  CLI::App* stale =
      AddDescribed(app, "stale", "List what needs somebody, most urgent first", "sagalog stale");
  stale->group(kLookingGroup);
  AddPageFlags(*stale, *page);
  stale->callback([page, &global, &exit_code] {
    ShowPages(global, "/v1/stale", UrlQuery(), *page, exit_code, PrintStale);
  });
}

// Says of each saga that this one waits for what became of it: one that nobody planned is waited
// for for ever.
void DescribeDependencies(StoreClient& client, json::object& saga) {
  json::value* const list = saga.if_contains("depends_on");
  if (list == nullptr || !list->is_array()) {
    return;
  }
  for (json::value& id : list->get_array()) {
    const std::string name = InWords(id);
    const auto found = client.Look("/v1/sagas/" + UrlPart(name));
    id =
        fmt::format("{} ({})", name, found ? std::string(TextIn(*found, "state")) : "no such saga");
  }
}

void AddShowCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  struct Arguments {
    std::string saga, at;
  };
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* show = AddDescribed(app, "show", "Show everything known of a saga", "sagalog show T1");
  show->group(kLookingGroup);
  show->add_option("saga,--saga", arguments->saga, "The saga's id")->required()->type_name("ID");
  show->add_option("--at", arguments->at, "As it was at a sequence or a time (RFC 3339)")
      ->type_name("SEQUENCE|TIME");
  show->callback([arguments, &global, &exit_code] {
    const auto client = StoreClient::Open(global, StoreClient::Access::kRead, exit_code);
    if (client == nullptr) {
      return;
    }
    UrlQuery query;
    query.Add("at", arguments->at);
    auto saga = client->Ask("GET", "/v1/sagas/" + UrlPart(arguments->saga) + query.text());
    if (!saga) {
      return;
    }
    if (global.json) {
      PrintLine(client->raw());
      return;
    }
    std::optional<StoreTime> now;
    if (arguments->at.empty()) {
      DescribeDependencies(*client, *saga);
      now = client->Now();
    } else if (const auto then = ParseTime(arguments->at); then.ok()) {
      now = *then;  // of a sequence, it is not said how long ago things were
    }
    PrintLine(SagaSheet(*saga, now, ColumnsOf(STDOUT_FILENO), global.color));
  });
}

// Who did it: what it said of itself, else who the store knows it to be.
std::string ActorOf(const json::object& event) {
  const std::string_view actor = TextIn(event, "actor");
  return std::string(actor.empty() ? TextIn(event, "principal") : actor);
}

// The date and the time; where there is no room, the time alone.
Cell TimeOfDayCell(std::string_view time) {
  Cell cell(ToTheSecond(time));
  if (const std::size_t at = cell.text.find('T'); at != std::string::npos) {
    cell.narrow = cell.text.substr(at + 1);
  }
  return cell;
}

std::string HistoryTable(const GlobalOptions& global, const json::array& events) {
  Table table({"SEQUENCE", "TIME", "VERSION", "EVENT", "ACTOR", "DETAIL"});
  for (const json::value& item : events) {
    const json::object& event = AsObject(item);
    const bool refused = TextIn(event, "type") == "refused";
    table.Add({InWords(event, "sequence"), TimeOfDayCell(TextIn(event, "time")),
               InWords(event, "version"),
               Cell(std::string(TextIn(event, "type")), refused ? Style::kBad : Style::kStrong),
               ActorOf(refused ? ObjectIn(event, "body") : event), EventDetail(event)});
  }
  table.MayDrop({"VERSION", "ACTOR"});
  return table.Render(ColumnsOf(STDOUT_FILENO), global.color);
}

void AddHistoryCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  struct Arguments {
    std::string saga, limit = "1000";
    bool transitions = false, refusals = false;
  };
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* history =
      AddDescribed(app, "history", "Show a saga's events, oldest first", "sagalog history T1");
  history->group(kLookingGroup);
  history->add_option("saga,--saga", arguments->saga, "The saga's id")->required()->type_name("ID");
  AddLimitFlag(*history, arguments->limit, "The newest so many events (1000)");
  history->add_flag("--transitions", arguments->transitions, "Leave heartbeats out");
  history->add_flag("--refusals", arguments->refusals,
                    "Show refused commands too, behind the event that they met");
  history->callback([arguments, &global, &exit_code] {
    const auto client = StoreClient::Open(global, StoreClient::Access::kRead, exit_code);
    if (client == nullptr) {
      return;
    }
    UrlQuery query;
    query.Add("limit", arguments->limit);
    query.Add("transitions_only", arguments->transitions ? "true" : "");
    query.Add("refusals", arguments->refusals ? "true" : "");
    const auto page =
        client->Ask("GET", "/v1/sagas/" + UrlPart(arguments->saga) + "/events" + query.text());
    if (!page) {
      return;
    }
    if (!TextIn(*page, "cursor").empty() && !global.json) {
      WriteError("older events are left out: --limit N shows more\n");
    }
    PrintLine(global.json ? client->raw() : HistoryTable(global, ArrayIn(*page, "items")));
  });
}

}  // namespace

void AddQueryCommands(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  AddListCommand(app, global, exit_code);
  AddShowCommand(app, global, exit_code);
  AddStaleCommand(app, global, exit_code);
  AddSectionsCommand(app, global, exit_code);
  AddHistoryCommand(app, global, exit_code);
}

}  // namespace sagalog::tools
