// Values of `sagalog plan` that hold more than one word.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "schema/status.h"

namespace sagalog::tools {

// A compensation from 'id=wt,kind=remove-worktree,target=/path,when=always,shared,param.k=v'. A
// value that holds a comma needs the JSON form.
[[nodiscard]] Result<boost::json::object> ParseCompensation(std::string_view text);

// Adds the compensation, or the list of them, that `text` is as JSON to `list`.
Status AddCompensationJson(boost::json::array& list, const std::string& text);

// The base64 form of a file ("-" = standard input) that is no larger than a payload may be.
[[nodiscard]] Result<std::string> ReadPayload(const std::string& path);

}  // namespace sagalog::tools
