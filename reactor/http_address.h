// Where an HTTP client finds a daemon, and what it shows it: also on TCP, with or without TLS.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "schema/status.h"

namespace sagalog {

class HttpClient;

struct HttpAddress {
  enum class Kind : std::uint8_t { kUnix, kTcp, kTls };
  Kind kind = Kind::kUnix;
  std::filesystem::path socket = {};  // of kUnix
  std::string host = {};              // without the brackets of an IPv6 address
  std::string port = {};
  // An access token, sent with every request; empty = none.
  std::string bearer_token = {};
  // Of kTls: certificates, PEM, one of which must have signed the daemon's; empty = the machine's.
  std::filesystem::path ca_file = {};

  // For people: the path of the socket, "https://sagas.example:7070".
  [[nodiscard]] std::string Name() const;
  // What requests name as their host: "sagas.example:7070".
  [[nodiscard]] std::string HostAndPort() const;
};

// "unix:PATH", "http://HOST:PORT" or "https://HOST:PORT", the port being 80 or 443 when it is not
// said. kInvalidArgument for anything else, and for what has a path, a query or a user.
[[nodiscard]] Result<HttpAddress> ParseHttpAddress(std::string_view url);

// What HttpClient::Connect does on a socket, on any address. Over TLS nothing is sent before the
// daemon's certificate was found to be trusted, and to name the host. kInvalidArgument also for a
// CA file that cannot be used.
[[nodiscard]] Result<std::unique_ptr<HttpClient>> ConnectHttp(const HttpAddress& address,
                                                              std::chrono::milliseconds patience);

}  // namespace sagalog
