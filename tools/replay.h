// `sagalog replay`: goes through a log, event by event.
#pragma once

#include <optional>
#include <string>

#include "tools/global_options.h"

namespace sagalog::tools {

struct ReplayOptions {
  // A backup, or another directory; empty = the data directory.
  std::string record;
  std::string saga;
  std::string where;
  // Moments; empty = the first and the last event.
  std::string from;
  std::string until;
  // How fast recorded time passes; none = in a pipe at once, in a terminal as it was.
  std::optional<double> speed;
  bool backwards = false;
  // Lines, also in a terminal.
  bool plain = false;
};

// In a terminal with keys, else in lines, or as NDJSON. The exit code; what is wrong is on standard
// error, damage of the log behind everything that can be read.
[[nodiscard]] int RunReplay(const GlobalOptions& global, const ReplayOptions& options);

}  // namespace sagalog::tools
