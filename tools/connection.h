// How the tools reach a store: through the daemon of the data directory when one runs, else by
// opening the directory themselves. Both answer alike.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "reactor/api.h"
#include "schema/status.h"

namespace sagalog::tools {

inline constexpr std::chrono::seconds kClientPatience{30};

struct ConnectionOptions {
  std::filesystem::path data;  // the data directory
  // Only reads will be sent: a directory opened by ourselves is then opened read-only.
  bool read_only = false;
  bool accept_clock = false;
  // A worker that stays (sagalog run): its opening counts as a session, not as one shot.
  bool session = false;
  // The reaper acts as long as we have the directory open ourselves.
  bool reaper = false;
  // How long a daemon may take for one answer.
  std::chrono::milliseconds patience = kClientPatience;
};

// One thread at a time.
class Connection {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Connection>> Open(const ConnectionOptions& options);
  virtual ~Connection() = default;

  // Sends a request ("POST", "/v1/sagas/T:acquire", "{…}"). An error is only about reaching the
  // store; what the store says, refusals included, is the response.
  [[nodiscard]] virtual Result<ApiResponse> Send(std::string_view method, std::string_view target,
                                                 std::string_view body = {}) = 0;
  // Sends a GET whose answer is a stream: `sink` gets it as it comes, and this returns when it has
  // ended. Where the store refused, the response is the problem.
  using Sink = std::function<void(std::string_view bytes)>;
  [[nodiscard]] virtual Result<ApiResponse> Follow(std::string_view target, const Sink& sink) = 0;
  // Whether a daemon answers.
  [[nodiscard]] virtual bool IsDaemon() const = 0;
};

// The data directory to use: `given`, else $SAGALOG_DATA, else ./.sagalog.
[[nodiscard]] std::filesystem::path DataDirectoryPath(const std::string& given);

}  // namespace sagalog::tools
