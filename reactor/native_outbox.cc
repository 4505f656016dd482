#include "reactor/native_outbox.h"

#include <utility>

#include <boost/asio/post.hpp>

namespace sagalog {

RequestLoad& RequestLoad::operator+=(const RequestLoad& other) {
  requests += other.requests;
  bytes += other.bytes;
  large_bytes += other.large_bytes;
  return *this;
}

RequestLoad& RequestLoad::operator-=(const RequestLoad& other) {
  requests -= other.requests;
  bytes -= other.bytes;
  large_bytes -= other.large_bytes;
  return *this;
}

NativeOutbox::NativeOutbox(boost::asio::any_io_executor sockets, std::function<void()> wake)
    : sockets_(std::move(sockets)), wake_(std::move(wake)) {}

void NativeOutbox::Add(std::string_view frames, const RequestLoad& done) {
  {
    const std::lock_guard lock(mutex_);
    frames_.append(frames);
    done_ += done;
    if (std::exchange(waking_, true)) {
      return;
    }
  }
  boost::asio::post(sockets_, [self = shared_from_this()] {
    if (self->wake_) {
      self->wake_();
    }
  });
}

RequestLoad NativeOutbox::TakeInto(std::string& frames) {
  const std::lock_guard lock(mutex_);
  waking_ = false;
  if (frames.empty()) {
    frames.swap(frames_);
  } else {
    frames.append(frames_);
  }
  frames_.clear();
  return std::exchange(done_, {});
}

}  // namespace sagalog
