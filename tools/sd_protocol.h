// What the service manager that started a daemon wants to know of it and hands to it: the protocols
// of systemd's sd_notify(3) and sd_listen_fds(3), without its library.
#pragma once

#include <string_view>
#include <vector>

#include "schema/status.h"

namespace sagalog::tools {

// Sends "READY=1", "STOPPING=1" and the like to $NOTIFY_SOCKET. Nothing to do, and OK, when nobody
// wants to know.
Status TellServiceManager(std::string_view state);

// That what a reload asks for has been done, and how it went, in one line.
Status TellReloaded(std::string_view text);

// The listening sockets that are meant for this process, which are then its to close; from here on
// no child inherits them.
[[nodiscard]] std::vector<int> InheritedSockets();

}  // namespace sagalog::tools
