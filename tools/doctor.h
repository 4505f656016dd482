// What is wrong with a data directory, in words, and the next safe step.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "reactor/clock.h"

namespace sagalog::tools {

struct Finding {
  enum class Kind {
    kFine,
    kNote,    // works, and yet worth knowing
    kBroken,  // commands fail, or will
  };
  Kind kind = Kind::kFine;
  std::string subject;  // "directory", "lock", "log", …
  std::string text;
  std::string next;  // what to do; empty = nothing
};

// Looks at everything that can go wrong, from the outside in, and changes nothing. What cannot be
// looked at because something before it is broken is left out.
[[nodiscard]] std::vector<Finding> Examine(const std::filesystem::path& data, const Clock& clock);

}  // namespace sagalog::tools
