#include "reactor/peer_stream.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <tuple>
#include <utility>

#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <openssl/ssl.h>

namespace sagalog {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Tcp = asio::ip::tcp;
using Unix = asio::local::stream_protocol;

// A socket without anything around it.
template <typename Socket>
class SocketStream final : public PeerStream {
 public:
  explicit SocketStream(Socket socket) : socket_(std::move(socket)) {}

  asio::awaitable<error_code> Begin() override { co_return error_code(); }
  asio::awaitable<Arrival> ReadSome(asio::mutable_buffer into) override {
    const auto [error, size] = co_await socket_.async_read_some(into, kAsTuple);
    co_return Arrival{error, size};
  }
  std::size_t WriteAtOnce(const Parts& parts) override {
    std::array<iovec, std::tuple_size_v<Parts>> pieces{};
    for (std::size_t i = 0; i < parts.size(); ++i) {
      pieces[i] = {const_cast<void*>(parts[i].data()), parts[i].size()};
    }
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = pieces.size();
    const ssize_t taken = sendmsg(socket_.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    return taken < 0 ? 0 : static_cast<std::size_t>(taken);
  }
  asio::awaitable<error_code> Write(Parts parts) override {
    const auto [error, size] = co_await asio::async_write(socket_, parts, kAsTuple);
    co_return error;
  }
  void EndWriting() override {
    error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
  }
  asio::awaitable<void> Finish() override { co_return; }
  void SayAtOnce(std::string_view bytes) override {
    static_cast<void>(
        send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
  }
  void EndReading() override {
    error_code ignored;
    socket_.shutdown(Socket::shutdown_receive, ignored);
  }
  bool NothingArrived() override {
    error_code error;
    return socket_.available(error) == 0;
  }
  void CancelWaiting() override {
    error_code ignored;
    socket_.cancel(ignored);
  }
  void Close() override {
    error_code ignored;
    socket_.close(ignored);
  }

 private:
  Socket socket_;
};

// TLS on a TCP socket.
class TlsStream final : public PeerStream {
 public:
  TlsStream(Tcp::socket socket, std::shared_ptr<asio::ssl::context> tls)
      : tls_(std::move(tls)), stream_(std::move(socket), *tls_) {}

  asio::awaitable<error_code> Begin() override {
    const auto [error] = co_await stream_.async_handshake(stream_.server, kAsTuple);
    co_return error;
  }
  asio::awaitable<Arrival> ReadSome(asio::mutable_buffer into) override {
    const auto [error, size] = co_await stream_.async_read_some(into, kAsTuple);
    co_return Arrival{error, size};
  }
  std::size_t WriteAtOnce(const Parts& /*parts*/) override { return 0; }
  asio::awaitable<error_code> Write(Parts parts) override {
    const auto [error, size] = co_await asio::async_write(stream_, parts, kAsTuple);
    co_return error;
  }
  void EndWriting() override {}  // An end of writing would be the end of reading too.
  asio::awaitable<void> Finish() override { co_await stream_.async_shutdown(kAsTuple); }
  void SayAtOnce(std::string_view) override {}
  void EndReading() override {
    error_code ignored;
    stream_.next_layer().shutdown(Tcp::socket::shutdown_receive, ignored);
  }
  bool NothingArrived() override {
    error_code error;
    SSL* native = stream_.native_handle();
    return stream_.next_layer().available(error) == 0 && SSL_has_pending(native) == 0 &&
           BIO_pending(SSL_get_rbio(native)) == 0;
  }
  void CancelWaiting() override {
    error_code ignored;
    stream_.next_layer().cancel(ignored);
  }
  void Close() override {
    error_code ignored;
    stream_.next_layer().close(ignored);
  }

 private:
  const std::shared_ptr<asio::ssl::context> tls_;
  asio::ssl::stream<Tcp::socket> stream_;
};

}  // namespace

std::unique_ptr<PeerStream> MakePeerStream(Unix::socket socket) {
  return std::make_unique<SocketStream<Unix::socket>>(std::move(socket));
}

std::unique_ptr<PeerStream> MakePeerStream(Tcp::socket socket) {
  return std::make_unique<SocketStream<Tcp::socket>>(std::move(socket));
}

std::unique_ptr<PeerStream> MakePeerStream(Tcp::socket socket,
                                           std::shared_ptr<asio::ssl::context> tls) {
  return std::make_unique<TlsStream>(std::move(socket), std::move(tls));
}

}  // namespace sagalog
