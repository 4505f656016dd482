// Commands that list what is irreversible and not over: open sections, effects in doubt.
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "tools/answer_text.h"
#include "tools/command_groups.h"
#include "tools/json_fields.h"
#include "tools/page_reading.h"
#include "tools/store_command.h"
#include "tools/table.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

void PrintSections(const GlobalOptions& global, std::optional<StoreTime> now,
                   const json::array& items) {
  Table table({"SAGA", "SECTION", "OWNER", "SINCE", "MAX AGE", "OVERDUE", "LEASE", "QUEUE", "STAGE",
               "KEY"});
  for (const json::value& item : items) {
    const json::object& row = AsObject(item);
    const json::object& section = ObjectIn(row, "section");
    const bool overdue = FlagIn(row, "overdue");
    table.Add({std::string(TextIn(row, "saga_id")), std::string(TextIn(section, "name")),
               std::string(TextIn(ObjectIn(row, "owner"), "owner")),
               MomentCell(TextIn(section, "since"), now), std::string(TextIn(section, "max_age")),
               Cell(overdue ? "yes" : "no", overdue ? Style::kBad : Style::kPlain),
               MomentCell(TextIn(row, "expires_at"), now), std::string(TextIn(row, "queue")),
               std::string(TextIn(row, "stage")), std::string(TextIn(row, "key"))});
  }
  PrintLine(table.empty() ? "nobody is inside a section"
                          : table.Render(ColumnsOf(STDOUT_FILENO), global.color));
}

void PrintEffects(const GlobalOptions& global, std::optional<StoreTime> now,
                  const json::array& items) {
  Table table({"SAGA", "EFFECT", "BEGUN", "FINGERPRINT", "SCOPE", "STATE", "OWNER", "KEY"});
  for (const json::value& item : items) {
    const json::object& row = AsObject(item);
    const json::object& effect = ObjectIn(row, "effect");
    const std::string state(TextIn(row, "state"));
    table.Add({std::string(TextIn(row, "saga_id")),
               Cell(std::string(TextIn(effect, "effect")), Style::kBad),
               MomentCell(TextIn(effect, "begun_at"), now),
               std::string(TextIn(effect, "fingerprint")), std::string(TextIn(effect, "scope")),
               Cell(state, StateStyle(state)), std::string(TextIn(ObjectIn(row, "owner"), "owner")),
               std::string(TextIn(row, "key"))});
  }
  PrintLine(table.empty() ? "no effect is in doubt"
                          : table.Render(ColumnsOf(STDOUT_FILENO), global.color));
}

}  // namespace

void AddSectionsCommand(CLI::App& app, const GlobalOptions& global, int& exit_code) {
  const auto page = std::make_shared<PageOptions>();
  CLI::App* sections = AddDescribed(app, "sections", "List who is inside a section, and since when",
                                    "sagalog sections");
  sections->group(kLookingGroup);
  AddPageFlags(*sections, *page);
  sections->callback([page, &global, &exit_code] {
    ShowPages(global, "/v1/sections", UrlQuery(), *page, exit_code, PrintSections);
  });
}

void AddEffectListCommand(CLI::App& effect, const GlobalOptions& global, int& exit_code) {
  const auto page = std::make_shared<PageOptions>();
  CLI::App* ls = AddDescribed(effect, "ls", "List effects in doubt: begun, and not settled",
                              "sagalog effect ls");
  AddPageFlags(*ls, *page);
  ls->callback([page, &global, &exit_code] {
    UrlQuery query;
    query.Add("in_doubt", "true");
    ShowPages(global, "/v1/effects", query, *page, exit_code, PrintEffects);
  });
}

}  // namespace sagalog::tools
