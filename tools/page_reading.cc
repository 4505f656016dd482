#include "tools/page_reading.h"

#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "schema/limits.h"
#include "tools/json_fields.h"
#include "tools/standard_streams.h"
#include "tools/store_command.h"
#include "tools/terminal.h"

namespace sagalog::tools {
namespace json = boost::json;
namespace {

// A page that is the first, or that continues the ones before.
std::optional<json::object> AskForPage(StoreClient& client, std::string_view path, UrlQuery query,
                                       std::string_view cursor) {
  query.Add("cursor", cursor);
  return client.Ask("GET", std::string(path) + query.text());
}

// What the clock showed then.
std::optional<StoreTime> TimeOf(const json::object& answer) {
  const auto time = ParseTime(TextIn(answer, "time"));
  return time.ok() ? std::optional(*time) : std::nullopt;
}

}  // namespace

std::string ThenInWords(const GlobalOptions& global, const json::object& answer) {
  return Paint(fmt::format("as it was at sequence {}, {}", InWords(answer, "sequence"),
                           TextIn(answer, "time")),
               Style::kDim, global.color);
}

void AddLimitFlag(CLI::App& command, std::string& limit, const std::string& help) {
  command.add_option("--limit", limit, help)->type_name("N")->check([](const std::string& value) {
    const auto number = ParseNumber(value);
    const bool good = number && number->is_int64() && number->get_int64() > 0 &&
                      number->get_int64() <= static_cast<std::int64_t>(kPageRowsMax);
    return good ? std::string()
                : fmt::format("\"{}\" is not a number from 1 to {}", value, kPageRowsMax);
  });
}

void AddPageFlags(CLI::App& command, PageOptions& options) {
  AddLimitFlag(command, options.limit, "Rows of a page (100)");
  command.add_option("--cursor", options.cursor, "Continue behind an earlier page")
      ->type_name("CURSOR");
  command.add_flag("--all", options.all, "All pages");
  command.add_option("--at", options.at, "As it was at a sequence or a time (RFC 3339)")
      ->type_name("SEQUENCE|TIME");
}

void ShowPages(const GlobalOptions& global, std::string_view path, UrlQuery query,
               const PageOptions& options, int& exit_code,
               void (*print)(const GlobalOptions& global, std::optional<StoreTime> now,
                             const json::array& items)) {
  const auto client = StoreClient::Open(global, StoreClient::Access::kRead, exit_code);
  if (client == nullptr) {
    return;
  }
  query.Add("limit", options.limit);
  query.Add("at", options.at);
  auto page = AskForPage(*client, path, query, options.cursor);
  if (!page) {
    return;
  }
  if (!options.all && global.json) {
    PrintLine(client->raw());
    return;
  }
  json::array items = ArrayIn(*page, "items");
  while (options.all && !TextIn(*page, "cursor").empty()) {
    page = AskForPage(*client, path, query, TextIn(*page, "cursor"));
    if (!page) {
      return;
    }
    const json::array& more = ArrayIn(*page, "items");
    items.insert(items.end(), more.begin(), more.end());
  }
  if (global.json) {
    (*page)["items"] = std::move(items);
    PrintLine(json::serialize(*page));
    return;
  }
  if (!options.at.empty()) {
    PrintLine(ThenInWords(global, *page));
  }
  print(global, options.at.empty() ? client->Now() : TimeOf(*page), items);
  if (const auto cursor = TextIn(*page, "cursor"); !cursor.empty()) {
    WriteError(fmt::format("there are more: --all, or --cursor {}\n", Printable(cursor)));
  }
}

}  // namespace sagalog::tools
