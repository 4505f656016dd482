#include "reactor/server.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <exception>
#include <utility>

#include <fmt/format.h>

#include "reactor/listener.h"
#include "reactor/server_check.h"
#include "reactor/service.h"
#include "reactor/tls.h"
#include "reactor/token_file.h"
#include "reactor/unix_socket.h"

namespace sagalog {
namespace {

// The socket file that is ours to remove.
class SocketFile {
 public:
  explicit SocketFile(std::filesystem::path path) : path_(std::move(path)) {
    if (stat(path_.c_str(), &file_) != 0) {
      file_ = {};
    }
  }
  ~SocketFile() { Remove(); }
  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(const SocketFile&) = delete;

  void Remove() const {
    struct stat now {};
    const bool ours = file_.st_ino != 0 && stat(path_.c_str(), &now) == 0 &&
                      now.st_dev == file_.st_dev && now.st_ino == file_.st_ino;
    if (ours) {
      unlink(path_.c_str());
    }
  }

 private:
  const std::filesystem::path path_;
  struct stat file_ {};
};

}  // namespace

class Server::Parts {
 public:
  Parts(Store& store, ServerOptions options)
      : service(store, std::move(options)), socket_file(service.options().socket) {}

  Status Listen() {
    const ServerOptions& options = service.options();
    ASSIGN_OR_RETURN(TokenFile tokens, LoadTokens(options));
    service.UseTokens(std::move(tokens));
    if (!options.tls_certificate.empty()) {
      ASSIGN_OR_RETURN(auto loaded, LoadTls(options.tls_certificate, options.tls_key));
      tls_ = std::make_shared<std::shared_ptr<boost::asio::ssl::context>>(std::move(loaded));
    }
    const Role role = options.insecure ? Role::kAdmin : Role::kNone;
    for (const std::string& where : options.listen) {
      ASSIGN_OR_RETURN(auto listeners, ListenOnTcp(service.context(), where, role, tls_));
      for (TcpListener& listener : listeners) {
        Add(std::move(listener));
      }
    }
    for (const int descriptor : options.inherited) {
      RETURN_IF_ERROR(Adopt(descriptor, role));
    }
    service.OnHangup([this] { Reload(); });
    return {};
  }

  Service service;
  const SocketFile socket_file;
  std::vector<std::string> addresses;

 private:
  void Add(TcpListener listener) {
    service.Add(std::move(listener.listener));
    addresses.push_back(std::move(listener.address));
  }

  Status Adopt(int descriptor, Role role) {
    int domain = 0;
    socklen_t size = sizeof(domain);
    if (getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0) {
      return {Code::kInvalidArgument,
              fmt::format("descriptor {}, which was handed over, is no socket", descriptor)};
    }
    if (domain == AF_UNIX) {
      service.Add(MakeUnixListener(service.context(), UnixSocket::Adopt(descriptor)));
      return {};
    }
    if (service.options().token_file.empty() && !service.options().insecure) {
      return {Code::kInvalidArgument, "a TCP socket was handed over: it takes a --token-file"};
    }
    ASSIGN_OR_RETURN(TcpListener listener, AdoptTcp(service.context(), descriptor, role, tls_));
    Add(std::move(listener));
    return {};
  }

  // All or nothing: half of a change would let nobody in, or the wrong ones.
  void Reload() {
    const ServerOptions& options = service.options();
    Result<TokenFile> tokens = LoadTokens(options);
    auto tls = options.tls_certificate.empty()
                   ? Result<std::shared_ptr<boost::asio::ssl::context>>(nullptr)
                   : LoadTls(options.tls_certificate, options.tls_key);
    if (!tokens.ok() || !tls.ok()) {
      const Status status = tokens.ok() ? tls.status() : tokens.status();
      service.Tell(ServerNote::Level::kError, "reload_failed",
                   fmt::format("{}; what was loaded before holds on", status.text()));
      return;
    }
    service.Tell(ServerNote::Level::kInfo, "reloaded",
                 fmt::format("{} tokens{}", tokens->lines().size(),
                             *tls == nullptr ? "" : ", and the certificate for new connections"));
    service.UseTokens(*std::move(tokens));
    if (tls_) {
      *tls_ = *std::move(tls);
    }
  }

  SharedTls tls_;
};

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::Listen(Store& store, ServerOptions options) {
  RETURN_IF_ERROR(CheckTogether(options, false));
  ASSIGN_OR_RETURN(UnixSocket listening, UnixSocket::Listen(options.socket));
  try {
    auto parts = std::make_unique<Parts>(store, std::move(options));
    parts->service.Add(MakeUnixListener(parts->service.context(), std::move(listening)));
    RETURN_IF_ERROR(parts->Listen());
    return std::unique_ptr<Server>(new Server(std::move(parts)));
  } catch (const std::exception& error) {
    return Status(Code::kIoError, error.what());
  }
}

Status Server::Run() {
  try {
    parts_->service.Run();
  } catch (const std::exception& error) {
    return Status(Code::kIoError, error.what());
  }
  parts_->socket_file.Remove();
  return {};
}

void Server::Stop() { parts_->service.Stop(); }

const std::vector<std::string>& Server::addresses() const { return parts_->addresses; }

}  // namespace sagalog
