// What one event changes in the tables of an export as an SQLite file.
#pragma once

#include <string_view>

#include "schema/events_generated.h"
#include "schema/status.h"
#include "tools/sqlite_file.h"

namespace sagalog::tools {

// Adds the event's own row, and brings sagas, leases, refusals, compensations and recoveries up to
// it. Never refuses what is in the log; what fails is the file.
Status AddExportRows(SqliteFile& file, const events::Event& event, std::string_view bytes);

}  // namespace sagalog::tools
