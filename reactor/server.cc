#include "reactor/server.h"

#include <exception>
#include <utility>

#include "reactor/service.h"
#include "reactor/unix_socket.h"

namespace sagalog {

struct Server::Listener {
  Service service;
};

Server::Server(std::unique_ptr<Listener> listener) : listener_(std::move(listener)) {}

Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::Listen(Store& store, ServerOptions options) {
  ASSIGN_OR_RETURN(UnixSocket listening, UnixSocket::Listen(options.socket));
  try {
    std::unique_ptr<Listener> listener(
        new Listener{Service(store, std::move(options), std::move(listening))});
    return std::unique_ptr<Server>(new Server(std::move(listener)));
  } catch (const std::exception& error) {
    return Status(Code::kIoError, error.what());
  }
}

Status Server::Run() {
  try {
    listener_->service.Run();
  } catch (const std::exception& error) {
    return Status(Code::kIoError, error.what());
  }
  return {};
}

void Server::Stop() { listener_->service.Stop(); }

}  // namespace sagalog
