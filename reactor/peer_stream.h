// The bytes from and to one peer, whatever carries them: protocols are written, and compiled, once.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>

namespace sagalog {

// Completes with (error, …) instead of throwing.
inline constexpr auto kAsTuple = boost::asio::as_tuple(boost::asio::use_awaitable);

// What came of a read.
struct Arrival {
  boost::system::error_code error;
  std::size_t size = 0;
};

// One read and one write at a time. Of the thread that runs the sockets alone.
class PeerStream {
 public:
  // A header, what it announces, and what ends it.
  using Parts = std::array<boost::asio::const_buffer, 3>;

  virtual ~PeerStream() = default;

  // What has to pass before the first byte of a protocol.
  [[nodiscard]] virtual boost::asio::awaitable<boost::system::error_code> Begin() = 0;
  // At least one byte, or an error.
  [[nodiscard]] virtual boost::asio::awaitable<Arrival> ReadSome(
      boost::asio::mutable_buffer into) = 0;
  // How many bytes of it the peer takes without a wait; 0 also where that cannot be told, or there
  // is an error, which Write meets.
  [[nodiscard]] virtual std::size_t WriteAtOnce(const Parts& parts) = 0;
  // All of it.
  [[nodiscard]] virtual boost::asio::awaitable<boost::system::error_code> Write(Parts parts) = 0;
  // Says that nothing more will be written, where that can be said while reading goes on.
  virtual void EndWriting() = 0;
  // Takes leave, where that has a form.
  [[nodiscard]] virtual boost::asio::awaitable<void> Finish() = 0;
  // For a peer that there is no room for: as much as it takes at once, where nothing has to pass
  // before.
  virtual void SayAtOnce(std::string_view bytes) = 0;

  // What has arrived is still read; then reading ends, also where it waits.
  virtual void EndReading() = 0;

  // Whether a read now would wait.
  [[nodiscard]] virtual bool NothingArrived() = 0;
  // Ends what waits, with an error; what has its bytes, but was not resumed yet, goes on.
  virtual void CancelWaiting() = 0;
  // Ends everything.
  virtual void Close() = 0;
};

[[nodiscard]] std::unique_ptr<PeerStream> MakePeerStream(
    boost::asio::local::stream_protocol::socket socket);
[[nodiscard]] std::unique_ptr<PeerStream> MakePeerStream(boost::asio::ip::tcp::socket socket);
// The server's side of TLS. The stream keeps the context for as long as it lives.
[[nodiscard]] std::unique_ptr<PeerStream> MakePeerStream(
    boost::asio::ip::tcp::socket socket, std::shared_ptr<boost::asio::ssl::context> tls);

}  // namespace sagalog
