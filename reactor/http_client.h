// A client for the daemon's HTTP interface on its Unix socket.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>

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
};

}  // namespace sagalog
