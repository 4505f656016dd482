// The figures of exports in `sagalog bench local`.
#pragma once

#include "tools/bench_figures.h"

namespace sagalog::tools {

// export_per_second, export_ratio, export_scan_per_second, export_check_per_second,
// export_event_bytes, export_line_bytes. Of 5,000,000 events, when the plan is large.
Status MeasureExport(const BenchPlan& plan, Figures& figures);

}  // namespace sagalog::tools
