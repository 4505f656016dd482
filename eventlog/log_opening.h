// How a log is opened, and what its opening found.
#pragma once

#include <string>

#include "schema/id.h"

namespace sagalog {

enum class LogMode {
  kReadWrite,  // creates the log where there is none; a damaged log is refused
  kReadOnly,   // writes nothing; a damaged log is readable up to the damage
};

// Where a log stops being what was written to it.
struct Damage {
  // The first event that is lost or cannot be trusted. Everything before it can be read.
  Sequence first_damaged;
  // What was found, for a person; names the sequence.
  std::string text;
};

}  // namespace sagalog
