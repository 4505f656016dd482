// A command line as one text, without a shell.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schema/status.h"

namespace sagalog::tools {

// Words are separated by blanks. '…' holds anything but a single quote as it is; in "…" and outside
// of quotes a backslash takes the next character as it is. Nothing is expanded, and ; | & > < $ * ?
// are characters like others. kInvalidArgument when a quote is not closed, the text ends with a
// backslash, or there is no word.
[[nodiscard]] Result<std::vector<std::string>> SplitWords(std::string_view text);

// What a person could type to the same effect.
[[nodiscard]] std::string JoinWords(const std::vector<std::string>& words);

}  // namespace sagalog::tools
