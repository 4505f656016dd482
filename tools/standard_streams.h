// What the program says on its two standard streams, whatever becomes of them: a full disk, a
// reader who has gone. Nothing here throws.
#pragma once

#include <string>
#include <string_view>

namespace sagalog::tools {

// Writes on standard output. When that fails it is remembered, and the rest is not written.
void WriteOutput(std::string_view text);
// The same, at once.
void FlushOutput();
// Writes on standard error; that it fails can be told nobody.
void WriteError(std::string_view text);

// Flushes standard output. Why something of it was lost; empty = all is written.
[[nodiscard]] std::string OutputFailure();

}  // namespace sagalog::tools
