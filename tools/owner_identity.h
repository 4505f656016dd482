// Who this process is to the store: an owner's name and the incarnation behind it.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "schema/status.h"

namespace sagalog::tools {

// Owner {owner, host, boot_id, pid_namespace, pid, pid_start} as commands take it, all filled in
// for this process. pid_start is in clock ticks since the machine booted, as /proc gives it.
// kIoError when /proc does not tell.
[[nodiscard]] Result<boost::json::object> ThisIncarnation(std::string_view owner);

// user@host: what a person would call this worker.
[[nodiscard]] std::string DefaultOwnerName();

}  // namespace sagalog::tools
