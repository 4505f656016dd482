#include "reactor/listen_address.h"

#include <charconv>
#include <system_error>

#include <fmt/format.h>

namespace sagalog {

Result<HostAndPort> ParseHostAndPort(const std::string& where) {
  const Status wrong(Code::kInvalidArgument,
                     fmt::format("\"{}\" is no address to listen on: HOST:PORT, as 127.0.0.1:7070 "
                                 "or [::1]:7070, port 0 for any",
                                 where));
  const std::size_t colon = where.rfind(':');
  if (colon == std::string::npos) {
    return wrong;
  }
  HostAndPort parsed{where.substr(0, colon)};
  const char* end = where.data() + where.size();
  const auto [stopped, error] = std::from_chars(where.data() + colon + 1, end, parsed.port);
  if (error != std::errc() || stopped != end) {
    return wrong;
  }
  if (parsed.host.starts_with('[') && parsed.host.ends_with(']')) {
    parsed.host = parsed.host.substr(1, parsed.host.size() - 2);
  } else if (parsed.host.find(':') != std::string::npos) {
    return wrong;
  }
  if (parsed.host.empty()) {
    return wrong;
  }
  return parsed;
}

}  // namespace sagalog
