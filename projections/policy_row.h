// A sparse policy in a row.
#pragma once

#include "projections/row_bytes.h"
#include "schema/saga_generated.h"

namespace sagalog {

void WritePolicy(RowWriter& row, const schema::PolicyT& policy);
void ReadPolicy(RowReader& row, schema::PolicyT& policy);

}  // namespace sagalog
