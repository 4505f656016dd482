// Where peers come from: the Unix socket, and TCP with or without TLS.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/system/error_code.hpp>

#include "reactor/access.h"
#include "reactor/peer_stream.h"
#include "reactor/unix_socket.h"
#include "schema/status.h"

namespace sagalog {

// TLS as new connections speak it: exchanged when certificates are loaded anew. Null = none.
using SharedTls = std::shared_ptr<std::shared_ptr<boost::asio::ssl::context>>;

// A peer that has come, or why none did.
struct Arrived {
  boost::system::error_code error;
  std::unique_ptr<PeerStream> stream = {};
  // Who it is, as far as the transport knows.
  Caller caller = {};
  // By the Unix socket.
  bool local = false;
};

// Of the thread that runs the sockets alone.
class Listener {
 public:
  virtual ~Listener() = default;
  [[nodiscard]] virtual boost::asio::awaitable<Arrived> Accept() = 0;
  // No more peers come; whoever waits for one is told so.
  virtual void Close() = 0;
};

// Peers are admin, by the name of their user.
[[nodiscard]] std::unique_ptr<Listener> MakeUnixListener(boost::asio::io_context& context,
                                                         UnixSocket listening);

// A TCP socket that listens, and where.
struct TcpListener {
  std::unique_ptr<Listener> listener;
  std::string address;  // with the real port: "127.0.0.1:41234"
};

// Listens on every address of "HOST:PORT" ("[::1]:7070", "localhost:0"). With port 0 the machine
// chooses one. Peers have the role `role`, and "anonymous" for a name unless that is kNone.
[[nodiscard]] Result<std::vector<TcpListener>> ListenOnTcp(boost::asio::io_context& context,
                                                           const std::string& where, Role role,
                                                           SharedTls tls);
// The same on a socket that listens already (socket activation). The descriptor is taken.
[[nodiscard]] Result<TcpListener> AdoptTcp(boost::asio::io_context& context, int descriptor,
                                           Role role, SharedTls tls);

}  // namespace sagalog
