// HTTP/1.1 on one connection of the daemon.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "reactor/connection.h"

namespace sagalog {

// Requests one after the other, each answered before the next is read, until the connection is to
// end. The first bytes of the first request are in the connection's buffer.
[[nodiscard]] boost::asio::awaitable<void> ServeHttp(Connection& connection);

}  // namespace sagalog
