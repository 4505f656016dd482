// The form of an address to listen on.
#pragma once

#include <cstdint>
#include <string>

#include "schema/status.h"

namespace sagalog {

struct HostAndPort {
  std::string host;  // without the brackets of an IPv6 address
  std::uint16_t port = 0;
};

// "HOST:PORT", "[::1]:7070". kInvalidArgument for anything else. The host is not looked up.
[[nodiscard]] Result<HostAndPort> ParseHostAndPort(const std::string& where);

}  // namespace sagalog
