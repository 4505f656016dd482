// What the audit tree costs those who append: a part of `sagalog bench local`.
#pragma once

#include "tools/bench_figures.h"

namespace sagalog::tools {

// audit_ratio: the append load with the audit tree kept behind it, over the same without, and the
// rates of both; audit_lag_events: how many were not hashed when the load ended, audit_lag_seconds:
// how long it took until they were.
Status MeasureAudit(const BenchPlan& plan, Figures& figures);

}  // namespace sagalog::tools
