#include "reactor/peer_stream.h"

#include <utility>

#include <boost/asio/write.hpp>

namespace sagalog {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Unix = asio::local::stream_protocol;

// A socket without anything around it.
template <typename Socket>
class SocketStream final : public PeerStream {
 public:
  explicit SocketStream(Socket socket) : socket_(std::move(socket)) {}

  asio::awaitable<Arrival> ReadSome(asio::mutable_buffer into) override {
    const auto [error, size] = co_await socket_.async_read_some(into, kAsTuple);
    co_return Arrival{error, size};
  }
  asio::awaitable<error_code> Write(Parts parts) override {
    const auto [error, size] = co_await asio::async_write(socket_, parts, kAsTuple);
    co_return error;
  }
  asio::awaitable<void> EndWriting() override {
    error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
    co_return;
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

}  // namespace

std::unique_ptr<PeerStream> MakePeerStream(Unix::socket socket) {
  return std::make_unique<SocketStream<Unix::socket>>(std::move(socket));
}

}  // namespace sagalog
