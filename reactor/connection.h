// One peer of the daemon: its bytes, how long it may take for them, and how it ends. What the
// bytes mean is the matter of a protocol (ServeHttp, ServeNative), which its first byte decides.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/system/error_code.hpp>

#include "reactor/access.h"
#include "reactor/peer_stream.h"

namespace sagalog {

class Service;
struct Arrived;

// Of the thread that runs the sockets alone. Bytes that were read and are not consumed yet are in
// buffer(); a protocol consumes what it takes.
class Connection {
 public:
  // What a stop of the server may end. A protocol says where it is.
  enum class Phase {
    kIdle,       // between two requests: ended at once if nothing has arrived
    kReading,    // a request is arriving: ended after the patience of the stop
    kAnswering,  // the store has it: waited for
    kWriting,    // its answer is on its way: ended after the patience of the stop
  };

  // Counts itself among the connections of `service`, which is borrowed.
  Connection(Service& service, Arrived arrived);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // The whole life of the connection. The one place where its protocol is chosen.
  [[nodiscard]] boost::asio::awaitable<void> Serve();

  [[nodiscard]] Service& service() { return service_; }
  // Who is at the other end, as the transport knows it. Of the role kNone, it has to show a token
  // (Service::Authenticate).
  [[nodiscard]] const Caller& caller() const { return caller_; }
  // Whether it has come by the Unix socket.
  [[nodiscard]] bool local() const { return local_; }
  // Whether anybody knows the peer: by the transport, or since it has shown a token.
  [[nodiscard]] bool known() const { return known_; }
  // It has shown one. Until then all it may keep us waiting for is as long as a header may.
  void BecomeKnown();
  [[nodiscard]] boost::beast::flat_buffer& buffer() { return buffer_; }
  void Enter(Phase phase) { phase_ = phase; }

  // Idle until the first byte of the next request is in the buffer. False when the connection is
  // to end: the peer has gone, or was idle too long, or the server stops.
  [[nodiscard]] boost::asio::awaitable<bool> AwaitRequest();
  // From now on, all reading, or all writing, together may take so long; then the connection is
  // closed. While nothing is read or written, nothing is over.
  void ReadWithin(std::chrono::milliseconds patience);
  void WriteWithin(std::chrono::milliseconds patience);
  // Up to `size_max` bytes more into the buffer.
  [[nodiscard]] boost::asio::awaitable<boost::system::error_code> ReadMore(std::size_t size_max);
  [[nodiscard]] boost::asio::awaitable<boost::system::error_code> Write(PeerStream::Parts parts);
  // The same in two steps: what the peer takes without a wait is taken away from `parts`; then the
  // rest.
  void WriteAtOnce(PeerStream::Parts& parts);
  [[nodiscard]] boost::asio::awaitable<boost::system::error_code> WriteRest(
      PeerStream::Parts parts);
  // Ends writing, and throws away what a peer still sends whose request was refused unread, so that
  // it sees the refusal before the connection ends.
  [[nodiscard]] boost::asio::awaitable<void> Linger();
  // What has arrived is still read; then reading ends, also where it waits.
  void EndReading();
  // Ends everything, also what waits.
  void Close();
  // For a protocol that is never idle: told of the stop of the server instead of being ended. Null
  // = as before.
  void OnStop(std::function<void()> told) { on_stop_ = std::move(told); }

  // For the service: what a stop ends at once, and what it ends when its patience is over.
  void EndIfIdle();
  void EndUnlessAnswering();
  // Where it stands among the connections of the service.
  void SetPlace(std::size_t place) { place_ = place; }
  [[nodiscard]] std::size_t place() const { return place_; }
  // Closes it when what it waits for is over at this tick of the service.
  void EndIfOverdue(std::uint64_t tick);

 private:
  [[nodiscard]] boost::asio::awaitable<bool> Begin();
  [[nodiscard]] boost::asio::awaitable<void> Finish();

  Service& service_;
  const std::unique_ptr<PeerStream> stream_;
  const Caller caller_;
  const bool local_;
  const std::uint64_t stranger_due_;  // a tick of the service
  bool known_;
  boost::beast::flat_buffer buffer_;
  std::function<void()> on_stop_;
  Phase phase_ = Phase::kIdle;
  std::size_t place_ = 0;
  bool reading_ = false;
  bool writing_ = false;
  std::uint64_t read_due_ = 0;   // a tick of the service
  std::uint64_t write_due_ = 0;  // a tick of the service
};

}  // namespace sagalog
