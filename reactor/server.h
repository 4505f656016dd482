// `sagalog serve`: HTTP/1.1 + JSON on the Unix socket of the data directory, and on TCP.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "reactor/clock.h"
#include "reactor/connection_limits.h"
#include "reactor/store.h"
#include "schema/limits.h"
#include "schema/status.h"

namespace sagalog {

// Something that whoever runs the daemon should know.
struct ServerNote {
  enum class Level { kInfo, kWarning, kError };
  Level level;
  std::string_view event;  // one word for programs: "stopping"
  std::string text;        // a line for people
};

struct ServerOptions {
  std::filesystem::path socket;
  // "HOST:PORT" each, beside the socket. They take a token file, or `insecure`: everybody who
  // reaches them is then admin.
  std::vector<std::string> listen = {};
  std::filesystem::path token_file = {};
  bool insecure = false;
  // TLS on all of them; both or neither.
  std::filesystem::path tls_certificate = {};
  std::filesystem::path tls_key = {};
  // Sockets that listen already, Unix or TCP (socket activation); taken, to be closed. Whoever
  // reaches a Unix one is admin: its mode is for who made it.
  std::vector<int> inherited = {};
  // Told, on the thread of Run, what happens. May be empty.
  std::function<void(const ServerNote& note)> tell = {};
  // Fewer where the machine grants fewer descriptors.
  std::size_t connections_max = kConnectionsDefault;
  // Set for a manual clock, which /v1/clock:advance and its kin then move. Borrowed.
  ManualClock* manual_clock = nullptr;
  // How long the header of a request may trickle in, and how long Run, once stopped, waits for
  // requests whose first bytes have come. A request that the store is answering is waited for.
  std::chrono::milliseconds header_patience = kHeaderPatience;
  std::chrono::milliseconds stop_patience = kStopPatience;
  // How long a peer may take between two requests, for a whole body or frame, and for the taking of
  // a whole answer.
  std::chrono::milliseconds idle_patience = kIdlePatience;
  std::chrono::milliseconds body_patience = kBodyPatience;
  std::chrono::milliseconds answer_patience = kAnswerPatience;
  // How often somebody who follows the log is told, without news, that the connection lives.
  std::chrono::milliseconds event_heartbeat = kEventHeartbeat;
};

// Serves a store until Stop. Start and Run once; Stop from any thread or signal handler's thread.
class Server {
 public:
  // Listens on the socket (mode 0600), replacing a dead one. kLocked when a server answers there,
  // kInvalidArgument for options, tokens or certificates that cannot be used.
  // From here on SIGTERM, SIGINT and SIGHUP wait for Run. The store is borrowed.
  [[nodiscard]] static Result<std::unique_ptr<Server>> Listen(Store& store, ServerOptions options);
  ~Server();

  // Serves until SIGTERM, SIGINT or Stop, then finishes the requests under way, removes the socket
  // and returns. SIGHUP loads the tokens and the certificate anew; what is wrong with them is told,
  // and the old ones stay. The principal of a request is the user at the other end of the socket,
  // or the name of the access token.
  Status Run();
  void Stop();
  // Where it listens on TCP, with the real ports.
  [[nodiscard]] const std::vector<std::string>& addresses() const;

 private:
  class Parts;
  explicit Server(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace sagalog
