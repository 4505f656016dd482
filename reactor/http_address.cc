#include "reactor/http_address.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace sagalog {
namespace {

constexpr std::string_view kUnix = "unix:";
constexpr std::string_view kHttp = "http://";
constexpr std::string_view kHttps = "https://";

Status NoAddress(std::string_view url, std::string_view why) {
  return {Code::kInvalidArgument, fmt::format("\"{}\" is no address of a daemon: {}", url, why)};
}

bool IsPort(std::string_view text) {
  constexpr std::size_t kDigitsMax = 5;
  const bool digits =
      !text.empty() && text.size() <= kDigitsMax &&
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  return digits && std::stoi(std::string(text)) <= 65535 && std::stoi(std::string(text)) > 0;
}

bool IsHost(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::string_view("/?#@[]\\\"").find(static_cast<char>(c)) == std::string_view::npos &&
           c > ' ' && c != 0x7F;
  });
}

}  // namespace

std::string HttpAddress::HostAndPort() const {
  if (kind == Kind::kUnix) {
    return "localhost";
  }
  const bool six = host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", six ? "[" : "", host, six ? "]" : "", port);
}

std::string HttpAddress::Name() const {
  return kind == Kind::kUnix
             ? socket.string()
             : fmt::format("{}{}", kind == Kind::kTls ? kHttps : kHttp, HostAndPort());
}

Result<HttpAddress> ParseHttpAddress(std::string_view url) {
  HttpAddress address;
  if (url.starts_with(kUnix)) {
    address.socket = url.substr(kUnix.size());
    return address.socket.empty() ? Result<HttpAddress>(NoAddress(url, "unix:PATH needs the path"))
                                  : std::move(address);
  }
  const bool tls = url.starts_with(kHttps);
  if (!tls && !url.starts_with(kHttp)) {
    return NoAddress(url, "write unix:PATH, http://HOST:PORT or https://HOST:PORT");
  }
  address.kind = tls ? HttpAddress::Kind::kTls : HttpAddress::Kind::kTcp;
  address.port = tls ? "443" : "80";
  std::string_view rest = url.substr(tls ? kHttps.size() : kHttp.size());
  if (rest.ends_with('/')) {
    rest.remove_suffix(1);
  }
  const std::size_t bracket = rest.starts_with('[') ? rest.find(']') : 0;
  if (bracket == std::string_view::npos) {
    return NoAddress(url, "a bracket is open");
  }
  const std::size_t colon = rest.find(':', bracket);
  if (colon != std::string_view::npos) {
    address.port = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
  }
  address.host = bracket == 0 ? rest : rest.substr(1, bracket - 1);
  if (!IsHost(address.host) || (bracket != 0 && bracket + 1 != rest.size())) {
    return NoAddress(url, "only a host and a port, and nothing before or behind them");
  }
  return IsPort(address.port) ? Result<HttpAddress>(std::move(address))
                              : NoAddress(url, "the port is a number from 1 to 65535");
}

}  // namespace sagalog
