// Queries that answer in pages.
#pragma once

#include <string>
#include <string_view>

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>

#include "tools/global_options.h"
#include "tools/store_client.h"

namespace sagalog::tools {

struct PageOptions {
  std::string limit;  // rows of a page; empty = the store's default
  std::string cursor;
  bool all = false;  // every page, not only one
};

// --limit, --cursor and --all. `options` must outlive the parsing.
void AddPageFlags(CLI::App& command, PageOptions& options);
// --limit alone: at least 1.
void AddLimitFlag(CLI::App& command, std::string& limit, const std::string& help);

// Asks for the page, or all of them, and prints what it holds: by `print` to a person, who is told
// when there is more; as one page with --json.
void ShowPages(const GlobalOptions& global, std::string_view path, UrlQuery query,
               const PageOptions& options, int& exit_code,
               void (*print)(const GlobalOptions& global, StoreClient& client,
                             const boost::json::array& items));

}  // namespace sagalog::tools
