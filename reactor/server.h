// `sagalog serve`: HTTP/1.1 + JSON on the Unix socket of the data directory.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>

#include "reactor/clock.h"
#include "reactor/store.h"
#include "schema/limits.h"
#include "schema/status.h"

namespace sagalog {

struct ServerOptions {
  std::filesystem::path socket;
  // Set for a manual clock, which /v1/clock:advance and its kin then move. Borrowed.
  ManualClock* manual_clock = nullptr;
  // How long the header of a request may trickle in, and how long Run, once stopped, waits for
  // requests whose first bytes have come. A request that the store is answering is waited for.
  std::chrono::milliseconds header_patience = kHeaderPatience;
  std::chrono::milliseconds stop_patience = kStopPatience;
};

// Serves a store until Stop. Start and Run once; Stop from any thread or signal handler's thread.
class Server {
 public:
  // Listens on the socket (mode 0600), replacing a dead one. kLocked when a server answers there.
  // From here on SIGTERM and SIGINT wait for Run. The store is borrowed.
  [[nodiscard]] static Result<std::unique_ptr<Server>> Listen(Store& store, ServerOptions options);
  ~Server();

  // Serves until SIGTERM, SIGINT or Stop, then finishes the requests under way, removes the socket
  // and returns. The principal of a request is the user at the other end of the socket.
  Status Run();
  void Stop();

 private:
  struct Listener;
  explicit Server(std::unique_ptr<Listener> listener);
  std::unique_ptr<Listener> listener_;
};

}  // namespace sagalog
