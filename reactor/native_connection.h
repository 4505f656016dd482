// The native protocol on one connection of the daemon: docs/protocol.md.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "reactor/connection.h"

namespace sagalog {

// Many requests at once, each answered when its answer is there, until the connection is to end.
// Returns when every request that was read is answered. The first bytes are in the connection's
// buffer.
[[nodiscard]] boost::asio::awaitable<void> ServeNative(Connection& connection);

}  // namespace sagalog
