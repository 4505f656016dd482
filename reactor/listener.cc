#include "reactor/listener.h"

#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <fmt/format.h>

#include "reactor/browser_check.h"
#include "reactor/listen_address.h"

namespace sagalog {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Unix = asio::local::stream_protocol;

class UnixListener final : public Listener {
 public:
  UnixListener(asio::io_context& context, UnixSocket listening)
      : acceptor_(context, Unix(), listening.descriptor()) {
    static_cast<void>(listening.Release());
  }

  asio::awaitable<Arrived> Accept() override {
    auto [error, socket] = co_await acceptor_.async_accept(kAsTuple);
    if (error) {
      co_return Arrived{error};
    }
    Caller caller{PeerUser(socket.native_handle()), Role::kAdmin};
    co_return Arrived{error, MakePeerStream(std::move(socket)), std::move(caller), true};
  }
  void Close() override {
    error_code ignored;
    acceptor_.close(ignored);
  }

 private:
  Unix::acceptor acceptor_;
};

class TcpAcceptor final : public Listener {
 public:
  TcpAcceptor(tcp::acceptor acceptor, Role role, SharedTls tls)
      : acceptor_(std::move(acceptor)), role_(role), tls_(std::move(tls)) {}

  asio::awaitable<Arrived> Accept() override {
    auto [error, socket] = co_await acceptor_.async_accept(kAsTuple);
    if (error) {
      co_return Arrived{error};
    }
    error_code ignored;
    // An answer waits for nothing more to send; a peer that is gone without a word is found out.
    socket.set_option(tcp::no_delay(true), ignored);
    socket.set_option(asio::socket_base::keep_alive(true), ignored);
    Caller caller{role_ == Role::kNone ? std::string() : std::string(kAnonymous), role_};
    std::unique_ptr<PeerStream> stream =
        tls_ ? MakePeerStream(std::move(socket), *tls_) : MakePeerStream(std::move(socket));
    co_return Arrived{error, std::move(stream), std::move(caller)};
  }
  void Close() override {
    error_code ignored;
    acceptor_.close(ignored);
  }

 private:
  tcp::acceptor acceptor_;
  const Role role_;
  const SharedTls tls_;
};

std::string AddressOf(const tcp::endpoint& endpoint) {
  const std::string host = endpoint.address().to_string();
  return endpoint.address().is_v6() ? fmt::format("[{}]:{}", host, endpoint.port())
                                    : fmt::format("{}:{}", host, endpoint.port());
}

Result<TcpListener> Listen(asio::io_context& context, const tcp::endpoint& endpoint, Role role,
                           const SharedTls& tls) {
  tcp::acceptor acceptor(context);
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) {
    acceptor.set_option(asio::socket_base::reuse_address(true), error);
  }
  if (!error && endpoint.address().is_v6()) {
    // Each family has a socket of its own.
    acceptor.set_option(asio::ip::v6_only(true), error);
  }
  if (!error) {
    acceptor.bind(endpoint, error);
  }
  if (!error) {
    acceptor.listen(asio::socket_base::max_listen_connections, error);
  }
  if (error) {
    return Status(error == asio::error::address_in_use ? Code::kLocked : Code::kIoError,
                  fmt::format("{}: {}", AddressOf(endpoint), error.message()));
  }
  std::string address = AddressOf(acceptor.local_endpoint(error));
  return TcpListener{std::make_unique<TcpAcceptor>(std::move(acceptor), role, tls),
                     std::move(address)};
}

}  // namespace

std::unique_ptr<Listener> MakeUnixListener(asio::io_context& context, UnixSocket listening) {
  return std::make_unique<UnixListener>(context, std::move(listening));
}

Result<std::vector<TcpListener>> ListenOnTcp(asio::io_context& context, const std::string& where,
                                             Role role, SharedTls tls) {
  ASSIGN_OR_RETURN(const HostAndPort wanted, ParseHostAndPort(where));
  error_code error;
  const auto found = tcp::resolver(context).resolve(wanted.host, std::to_string(wanted.port),
                                                    tcp::resolver::passive, error);
  if (error) {
    return Status(Code::kInvalidArgument, fmt::format("{}: {}", where, error.message()));
  }
  std::vector<TcpListener> listeners;
  for (const auto& entry : found) {
    ASSIGN_OR_RETURN(TcpListener listener, Listen(context, entry.endpoint(), role, tls));
    listeners.push_back(std::move(listener));
    if (wanted.port == 0) {
      break;  // A port of its own for each address would be no one port to tell.
    }
  }
  return listeners;
}

Result<TcpListener> AdoptTcp(asio::io_context& context, int descriptor, Role role, SharedTls tls) {
  tcp::acceptor acceptor(context);
  error_code error;
  acceptor.assign(tcp::v4(), descriptor, error);
  const tcp::endpoint endpoint = error ? tcp::endpoint() : acceptor.local_endpoint(error);
  if (error) {
    return Status(Code::kInvalidArgument,
                  fmt::format("descriptor {}: {}", descriptor, error.message()));
  }
  return TcpListener{std::make_unique<TcpAcceptor>(std::move(acceptor), role, std::move(tls)),
                     AddressOf(endpoint)};
}

}  // namespace sagalog
