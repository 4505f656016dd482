// `sagalog report-owner --probe`: looks at every holder on this host, and reports what it found.
#pragma once

#include "tools/global_options.h"

namespace sagalog::tools {

// Reports the alive and the dead; of the others it says why nothing can be said. Prints a table, or
// one JSON document.
void ProbeOwners(const GlobalOptions& global, int& exit_code);

}  // namespace sagalog::tools
