#include "reactor/connection.h"

#include <utility>

#include "reactor/http_connection.h"
#include "reactor/service.h"
#include "schema/limits.h"

namespace sagalog {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// What is read first of a request; most fit.
constexpr std::size_t kFirstReadSize = 4096;
// What is still taken from a peer whose request was refused unread.
constexpr std::size_t kLingerBytesMax = 64UL << 20;
constexpr std::size_t kLingerReadSize = 16384;
constexpr std::chrono::seconds kLingerPatience{2};

}  // namespace

Connection::Connection(Service& service, std::unique_ptr<PeerStream> stream, std::string principal)
    : service_(service), stream_(std::move(stream)), principal_(std::move(principal)) {
  service_.Enter(*this);
}

Connection::~Connection() { service_.Leave(*this); }

asio::awaitable<void> Connection::Serve() {
  const bool open = co_await AwaitRequest();
  if (!open) {
    co_return;
  }
  // Every request of HTTP begins with a letter.
  co_await ServeHttp(*this);
}

asio::awaitable<bool> Connection::AwaitRequest() {
  phase_ = Phase::kIdle;
  if (buffer_.size() > 0) {
    co_return true;
  }
  // An idle connection holds no more memory than a new one, whatever it has carried.
  if (buffer_.capacity() > kFirstReadSize) {
    buffer_.shrink_to_fit();
  }
  // A request that came before the peer could know of the stop is still answered.
  if (service_.stopping() && stream_->NothingArrived()) {
    co_return false;
  }
  ReadWithin(kIdlePatience);
  const error_code error = co_await ReadMore(kFirstReadSize);
  co_return !error;
}

void Connection::ReadWithin(std::chrono::milliseconds patience) {
  read_due_ = service_.TickAfter(patience);
}

void Connection::WriteWithin(std::chrono::milliseconds patience) {
  write_due_ = service_.TickAfter(patience);
}

asio::awaitable<error_code> Connection::ReadMore(std::size_t size_max) {
  reading_ = true;
  const Arrival arrival = co_await stream_->ReadSome(buffer_.prepare(size_max));
  reading_ = false;
  buffer_.commit(arrival.size);
  co_return arrival.error;
}

asio::awaitable<error_code> Connection::Write(PeerStream::Parts parts) {
  writing_ = true;
  const error_code error = co_await stream_->Write(parts);
  writing_ = false;
  co_return error;
}

asio::awaitable<void> Connection::Linger() {
  co_await stream_->EndWriting();
  ReadWithin(kLingerPatience);
  error_code error;
  for (std::size_t taken = 0; taken < kLingerBytesMax && !error; taken += buffer_.size()) {
    buffer_.clear();
    error = co_await ReadMore(kLingerReadSize);
  }
}

void Connection::EndIfIdle() {
  if (phase_ == Phase::kIdle && stream_->NothingArrived()) {
    stream_->CancelWaiting();
  }
}

void Connection::EndUnlessAnswering() {
  if (phase_ != Phase::kAnswering) {
    stream_->Close();
  }
}

void Connection::EndIfOverdue(std::uint64_t tick) {
  if ((reading_ && tick >= read_due_) || (writing_ && tick >= write_due_)) {
    stream_->Close();
  }
}

}  // namespace sagalog
