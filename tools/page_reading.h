// Queries that answer in pages.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "schema/store_time.h"
#include "tools/global_options.h"
#include "tools/store_client.h"

namespace sagalog::tools {

struct PageOptions {
  std::string limit;  // rows of a page; empty = the store's default
  std::string cursor;
  std::string at;    // a moment of the past; empty = now
  bool all = false;  // every page, not only one
};

// --limit, --cursor, --all and --at. `options` must outlive the parsing.
void AddPageFlags(CLI::App& command, PageOptions& options);
// --limit alone: at least 1.
void AddLimitFlag(CLI::App& command, std::string& limit, const std::string& help);

// "as it was at sequence 17, 2026-11-21T03:18:00.000000Z" of an answer to a question with `at`.
[[nodiscard]] std::string ThenInWords(const GlobalOptions& global,
                                      const boost::json::object& answer);

// Asks for the page, or all of them, and prints what it holds: by `print` to a person, who is told
// when there is more; as one page with --json. `now` is the moment that the page is of, when known.
void ShowPages(const GlobalOptions& global, std::string_view path, UrlQuery query,
               const PageOptions& options, int& exit_code,
               void (*print)(const GlobalOptions& global, std::optional<StoreTime> now,
                             const boost::json::array& items));

}  // namespace sagalog::tools
