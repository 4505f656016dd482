// Where a story is read from: the store that the command line names, or a record beside it.
#pragma once

#include <optional>
#include <string>

#include "tools/global_options.h"
#include "tools/record.h"
#include "tools/store_client.h"

namespace sagalog::tools {

struct StorySource {
  Record record;
  // The moment it is read at: the store's time; none = the end of the record.
  std::optional<StoreTime> now;
  // Null for a record that was named.
  std::unique_ptr<StoreClient> client;
};

// `record` = a data directory or a backup to be looked at where it lies; empty = the store of the
// global flags. What is damaged is told on standard error, and read up to there. Nothing, with
// `exit_code` set and the reason on standard error, when it is not to be had.
[[nodiscard]] std::optional<StorySource> OpenStorySource(const GlobalOptions& global,
                                                         const std::string& record, int& exit_code);

}  // namespace sagalog::tools
