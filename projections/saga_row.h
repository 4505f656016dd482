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

// With which events a saga's row became what it is.
struct RowHistory {
  Sequence planned;
  // The newest event of the saga itself.
  Sequence changed;
  // The newest note of a refusal, if that came later: it is no event of the saga. Else 0.
  Sequence noted_later;
};
[[nodiscard]] RowHistory HistoryOf(const Saga& saga);
// kCorruption when the row is damaged, as far as it had to be read.
[[nodiscard]] Result<RowHistory> ReadRowHistory(std::string_view bytes);

}  // namespace sagalog
