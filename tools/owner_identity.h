// Who this process is to the store: an owner's name and the incarnation behind it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "schema/status.h"

namespace sagalog::tools {

// Owner {owner, host, boot_id, pid_namespace, pid, pid_start} as commands take it, all filled in
// for this process. pid_start is in clock ticks since the machine booted, as /proc gives it.
// kIoError when /proc does not tell.
[[nodiscard]] Result<boost::json::object> ThisIncarnation(std::string_view owner);

// What /proc says of a process.
struct ProcessTraits {
  std::uint64_t start = 0;  // in clock ticks since the machine booted
  bool ended = false;       // a zombie: nobody has waited for it yet
};

// Nothing when there is no process of this pid in our namespace; kIoError when there is one, but
// /proc hides it.
[[nodiscard]] Result<std::optional<ProcessTraits>> LookAtPid(std::uint64_t pid);

// user@host: what a person would call this worker.
[[nodiscard]] std::string DefaultOwnerName();

}  // namespace sagalog::tools
