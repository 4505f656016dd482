#include "reactor/browser_check.h"

#include <algorithm>

#include <boost/asio/ip/address.hpp>
#include <boost/beast/core/string.hpp>
#include <fmt/format.h>

namespace sagalog {
namespace {

using boost::beast::iequals;

// "localhost" of "localhost:7070", "::1" of "[::1]:7070".
std::string_view HostName(std::string_view host) {
  if (host.starts_with('[')) {
    return host.substr(1, std::min(host.find(']'), host.size()) - 1);
  }
  return host.substr(0, host.find(':'));
}

bool IsAddress(std::string_view name) {
  boost::system::error_code error;
  boost::asio::ip::make_address(name, error);
  return !error;
}

bool IsOurs(std::string_view host, std::span<const std::string> listening) {
  const std::string_view name = HostName(host);
  constexpr std::string_view kLocal = ".localhost";
  const bool local =
      name.size() > kLocal.size() && iequals(name.substr(name.size() - kLocal.size()), kLocal);
  return name.find('.') == std::string_view::npos || local || IsAddress(name) ||
         std::any_of(listening.begin(), listening.end(),
                     [&](const std::string& where) { return iequals(HostName(where), name); });
}

// The page is the daemon's own.
bool IsOfHost(std::string_view origin, std::string_view host) {
  const std::size_t scheme = origin.find("://");
  return scheme != std::string_view::npos && iequals(origin.substr(scheme + 3), host);
}

}  // namespace

std::string WhyFromBrowser(const RequestOrigin& from, std::span<const std::string> listening) {
  constexpr std::string_view kRemedy =
      "without a token (--insecure) no page of another site may reach this daemon";
  if (!IsOurs(from.host, listening)) {
    return fmt::format("Host: {} is neither an address nor a name that --listen has: {}", from.host,
                       kRemedy);
  }
  if (!from.origin.empty() && !IsOfHost(from.origin, from.host)) {
    return fmt::format("Origin: {}: {}", from.origin, kRemedy);
  }
  if (!from.fetch_site.empty() && from.fetch_site != "same-origin" && from.fetch_site != "none") {
    return fmt::format("Sec-Fetch-Site: {}: {}", from.fetch_site, kRemedy);
  }
  return {};
}

}  // namespace sagalog
