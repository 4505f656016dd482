#include "reactor/native_outbox.h"

#include <utility>

#include <boost/asio/post.hpp>

namespace sagalog {
namespace {

// Memory that large answers took is given back.
constexpr std::size_t kKeptCapacityMax = 64UL << 10;

}  // namespace

RequestLoad& RequestLoad::operator+=(const RequestLoad& other) {
  requests += other.requests;
  bytes += other.bytes;
  large_bytes += other.large_bytes;
  pages += other.pages;
  return *this;
}

RequestLoad& RequestLoad::operator-=(const RequestLoad& other) {
  requests -= other.requests;
  bytes -= other.bytes;
  large_bytes -= other.large_bytes;
  pages -= other.pages;
  return *this;
}

NativeOutbox::NativeOutbox(boost::asio::any_io_executor sockets, AnswerBudget& budget,
                           std::function<void()> wake)
    : sockets_(std::move(sockets)), wake_(std::move(wake)), budget_(&budget) {}

bool NativeOutbox::Put(std::string_view frames, const RequestLoad& done, bool happened) {
  {
    const std::lock_guard lock(mutex_);
    if (!Keep(frames, done, happened)) {
      return false;
    }
    if (std::exchange(waking_, true)) {
      return true;
    }
  }
  boost::asio::post(sockets_, [self = shared_from_this()] {
    if (self->wake_) {
      self->wake_();
    }
  });
  return true;
}

void NativeOutbox::AddHere(std::string_view frames, const RequestLoad& done) {
  const std::lock_guard lock(mutex_);
  static_cast<void>(Keep(frames, done, true));
}

bool NativeOutbox::Keep(std::string_view frames, const RequestLoad& done, bool happened) {
  if (Hold(held_ + frames.size(), happened)) {
    frames_.append(frames);
  } else if (happened) {
    overrun_ = true;
  } else {
    return false;
  }
  done_ += done;
  return true;
}

bool NativeOutbox::Hold(std::size_t bytes, bool happened) {
  const std::size_t most = kAnswerBytesOfConnectionMax + (happened ? kAnswerBytesBeyond : 0);
  const std::size_t wanted = AnswerBudget::Counted(bytes);
  if (budget_ == nullptr || overrun_ || bytes > most ||
      (wanted > counted_ && !budget_->Take(wanted - counted_, happened))) {
    return false;
  }
  if (wanted < counted_) {
    budget_->GiveBack(counted_ - wanted);
  }
  counted_ = wanted;
  held_ = bytes;
  return true;
}

void NativeOutbox::Forget(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  held_ -= bytes;
  const std::size_t still = AnswerBudget::Counted(held_);
  if (budget_ != nullptr) {
    budget_->GiveBack(counted_ - still);
  }
  counted_ = still;
}

bool NativeOutbox::overrun() {
  const std::lock_guard lock(mutex_);
  return overrun_;
}

void NativeOutbox::Abandon() {
  wake_ = nullptr;
  const std::lock_guard lock(mutex_);
  budget_->GiveBack(std::exchange(counted_, 0));
  budget_ = nullptr;
  std::string().swap(frames_);
}

RequestLoad NativeOutbox::TakeInto(std::string& frames) {
  const std::lock_guard lock(mutex_);
  waking_ = false;
  if (frames.empty()) {
    frames.swap(frames_);
  } else {
    frames.append(frames_);
  }
  if (frames_.capacity() > kKeptCapacityMax) {
    std::string().swap(frames_);
  }
  frames_.clear();
  return std::exchange(done_, {});
}

}  // namespace sagalog
