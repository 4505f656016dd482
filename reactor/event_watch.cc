#include "reactor/event_watch.h"

#include <algorithm>

#include <boost/asio/post.hpp>

#include "reactor/peer_stream.h"

namespace sagalog {
namespace {

// The log wakes us when it gets on; this is how soon we see that nobody wants to know any more.
constexpr std::chrono::milliseconds kWatchPatience{250};

}  // namespace

EventWatch::EventWatch(const EventLog& log, EventTail& tail, std::atomic<std::uint64_t>& followers,
                       boost::asio::io_context& context)
    : log_(log), tail_(tail), context_(context), followers_(followers), thread_([this] {
        Loop();
      }) {}

EventWatch::~EventWatch() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

boost::asio::awaitable<bool> EventWatch::Await(Sequence seen, std::chrono::milliseconds patience) {
  if (announced_ > seen) {
    co_return true;
  }
  boost::asio::steady_timer timer(context_);
  timer.expires_after(patience);
  waiting_.insert(&timer);
  const auto [woken] = co_await timer.async_wait(kAsTuple);
  waiting_.erase(&timer);
  co_return woken.failed();
}

void EventWatch::WakeAll() {
  for (boost::asio::steady_timer* timer : waiting_) {
    timer->cancel();
  }
}

void EventWatch::CountFollowers(int change) {
  followers_ += static_cast<std::uint64_t>(change);
  {
    const std::lock_guard lock(mutex_);
    wanted_ = followers_ > 0;
  }
  changed_.notify_all();
}

void EventWatch::Loop() {
  Sequence told;
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return wanted_ || stopping_; });
    if (stopping_) {
      return;
    }
    lock.unlock();
    if (log_.WaitBeyond(told, kWatchPatience)) {
      // A follower that finds nothing in the tail reads the log itself, and meets the damage.
      tail_.CatchUp(log_).IgnoreBecause("the followers are told by their own reading");
      told = std::max(log_.Last(), told);
      boost::asio::post(context_, [this, told] {
        announced_ = told;
        WakeAll();
      });
    }
    lock.lock();
  }
}

}  // namespace sagalog
