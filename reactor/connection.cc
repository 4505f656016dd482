#include "reactor/connection.h"

#include <algorithm>
#include <utility>

#include "reactor/http_connection.h"
#include "reactor/listener.h"
#include "reactor/native_connection.h"
#include "reactor/service.h"
#include "schema/frame_bytes.h"
#include "schema/limits.h"

namespace sagalog {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// What is read first of a request; most fit. A peer that is idle holds so much.
constexpr std::size_t kFirstReadSize = 1024;
// What is still taken from a peer whose request was refused unread.
constexpr std::size_t kLingerBytesMax = 64UL << 20;
constexpr std::size_t kLingerReadSize = 16384;
constexpr std::chrono::seconds kLingerPatience{2};
// A peer that does not take leave in turn misses nothing.
constexpr std::chrono::milliseconds kLeavePatience{100};

}  // namespace

Connection::Connection(Service& service, Arrived arrived)
    : service_(service),
      stream_(std::move(arrived.stream)),
      caller_(std::move(arrived.caller)),
      local_(arrived.local),
      stranger_due_(service.TickAfter(service.options().header_patience)),
      known_(caller_.role != Role::kNone) {
  service_.Enter(*this);
}

Connection::~Connection() { service_.Leave(*this); }

asio::awaitable<void> Connection::Serve() {
  const bool begun = co_await Begin();
  if (!begun) {
    co_return;
  }
  const bool open = co_await AwaitRequest();
  if (open) {
    // Every request of HTTP begins with a letter.
    const bool native =
        *static_cast<const unsigned char*>(buffer_.data().data()) == kNativeFirstByte;
    if (native) {
      co_await ServeNative(*this);
    } else {
      co_await ServeHttp(*this);
    }
  }
  co_await Finish();
}

asio::awaitable<bool> Connection::Begin() {
  phase_ = Phase::kReading;
  ReadWithin(service_.options().header_patience);
  reading_ = true;
  const error_code error = co_await stream_->Begin();
  reading_ = false;
  co_return !error;
}

asio::awaitable<void> Connection::Finish() {
  phase_ = Phase::kWriting;
  WriteWithin(kLeavePatience);
  writing_ = true;
  co_await stream_->Finish();
  writing_ = false;
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
  ReadWithin(service_.options().idle_patience);
  const error_code error = co_await ReadMore(kFirstReadSize);
  co_return !error;
}

void Connection::BecomeKnown() {
  if (!known_) {
    known_ = true;
    service_.ForgetStranger();
  }
}

void Connection::ReadWithin(std::chrono::milliseconds patience) {
  read_due_ = service_.TickAfter(patience);
  if (!known_) {
    read_due_ = std::min(read_due_, stranger_due_);
  }
}

void Connection::WriteWithin(std::chrono::milliseconds patience) {
  write_due_ = service_.TickAfter(known_ ? patience
                                         : std::min(patience, service_.options().header_patience));
}

asio::awaitable<error_code> Connection::ReadMore(std::size_t size_max) {
  reading_ = true;
  const Arrival arrival = co_await stream_->ReadSome(buffer_.prepare(size_max));
  reading_ = false;
  buffer_.commit(arrival.size);
  co_return arrival.error;
}

asio::awaitable<error_code> Connection::Write(PeerStream::Parts parts) {
  WriteAtOnce(parts);
  if (asio::buffer_size(parts) == 0) {
    co_return error_code();
  }
  co_return co_await WriteRest(parts);
}

void Connection::WriteAtOnce(PeerStream::Parts& parts) {
  std::size_t taken = stream_->WriteAtOnce(parts);
  for (asio::const_buffer& part : parts) {
    const std::size_t of_this = std::min(taken, part.size());
    part += of_this;
    taken -= of_this;
  }
}

asio::awaitable<error_code> Connection::WriteRest(PeerStream::Parts parts) {
  writing_ = true;
  const error_code error = co_await stream_->Write(parts);
  writing_ = false;
  co_return error;
}

asio::awaitable<void> Connection::Linger() {
  stream_->EndWriting();
  read_due_ = service_.TickAfter(kLingerPatience);
  phase_ = Phase::kReading;
  error_code error;
  for (std::size_t taken = 0; taken < kLingerBytesMax && !error; taken += buffer_.size()) {
    buffer_.clear();
    error = co_await ReadMore(kLingerReadSize);
  }
}

void Connection::EndReading() { stream_->EndReading(); }

void Connection::Close() { stream_->Close(); }

void Connection::EndIfIdle() {
  if (on_stop_) {
    on_stop_();
    return;
  }
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
