// Plays scenarios on throw-away stores: docs/scenario-format.md.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "schema/status.h"
#include "tools/scenario.h"

namespace sagalog::tools {

struct PlayOptions {
  enum class Disk {
    kMemory,     // no file is written
    kDirectory,  // a real data directory in the machine's temporary directory
  };
  Disk disk = Disk::kMemory;
  // Which steps all projections are thrown away and folded again before.
  enum class Rebuild { kNever, kInTheMiddle, kBeforeEveryStep };
  Rebuild rebuild = Rebuild::kNever;
  // Where the data directory goes when the scenario has been played, closed as it was left; it must
  // not exist. Empty = it is thrown away. For kDirectory alone.
  std::filesystem::path keep;
};

// What became of one step.
struct PlayedStep {
  // What came, in the words of `expect`.
  std::string answer;
  // The same in more words, when there are more.
  std::string detail;
  bool holds = false;
};

// What became of a scenario: nothing is played behind a step that does not hold.
struct PlayedScenario {
  std::vector<PlayedStep> steps;
  // When its settings were refused: why. No step was played.
  std::string settings_refused;
  [[nodiscard]] bool holds() const {
    return settings_refused.empty() && !steps.empty() && steps.back().holds;
  }
};

// Plays a scenario that ReadScenarios gave, on a clock that moves only when a step says so. An
// error is the machine's: no room for the store.
[[nodiscard]] Result<PlayedScenario> PlayScenario(const Scenario& scenario,
                                                  const PlayOptions& options);

}  // namespace sagalog::tools
