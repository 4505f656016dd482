// A saga as bytes in a row of a checkpoint.
#pragma once

#include <string>
#include <string_view>

#include "projections/saga.h"
#include "schema/status.h"

namespace sagalog {

// Appends the saga's state to `out`. Deterministic: equal sagas give equal bytes.
void EncodeSaga(const Saga& saga, std::string& out);

// Reads one saga and removes it from the front of `bytes`. kCorruption when they are not what
// EncodeSaga wrote: they are trusted in nothing.
[[nodiscard]] Result<Saga> DecodeSaga(std::string_view& bytes);

}  // namespace sagalog
