// Whether a page in somebody's browser may be behind a request. Where everybody who reaches the
// address is let in, that browser reaches it too, and the page is anybody's.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace sagalog {

// The name of a peer that is let in without a token, whose requests are looked at so.
inline constexpr std::string_view kAnonymous = "anonymous";

// What a request says of where it comes from; empty = it does not say.
struct RequestOrigin {
  std::string_view host;        // Host
  std::string_view origin;      // Origin: browsers send it with whatever a page may make them send
  std::string_view fetch_site;  // Sec-Fetch-Site
};

// Why the request is to be refused; empty when no page of somebody else's can be behind it. The
// host has to be an address, a name without a dot, or one that is listened on ("HOST:PORT" each): a
// page whose own name was pointed at this machine (DNS rebinding) would send that name. A pure
// function.
[[nodiscard]] std::string WhyFromBrowser(const RequestOrigin& from,
                                         std::span<const std::string> listening);

}  // namespace sagalog
