// A client for the daemon's HTTP interface on its Unix socket.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>

#include "reactor/api.h"
#include "schema/status.h"

namespace sagalog {

// One keep-alive connection. One thread at a time. Reconnects once when the daemon closed an idle
// connection, and only if it cannot have taken the request. kIoError when nobody answers within the
// patience: the text says whether the request may have been carried out. kNotFound when no daemon
// listens. The principal of a request is not sent: the daemon knows its peer.
class HttpClient {
 public:
  [[nodiscard]] static Result<std::unique_ptr<HttpClient>> Connect(
      const std::filesystem::path& socket,
      std::chrono::milliseconds patience = std::chrono::seconds(30));
  virtual ~HttpClient() = default;
  [[nodiscard]] virtual Result<ApiResponse> Send(const ApiRequest& request) = 0;
  // Sends a GET whose answer may have no end: `sink` gets the body as it comes. Returns when it has
  // ended; where the daemon refused, the response is the problem and `sink` gets nothing. On a
  // connection of its own.
  using Sink = std::function<void(std::string_view bytes)>;
  [[nodiscard]] virtual Result<ApiResponse> Follow(const ApiRequest& request, const Sink& sink) = 0;
};

}  // namespace sagalog
