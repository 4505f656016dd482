#include "reactor/event_watch.h"

#include <algorithm>

#include <boost/asio/post.hpp>

#include "reactor/connection_limits.h"
#include "reactor/peer_stream.h"

namespace sagalog {
namespace {

// The log wakes us when it gets on; this is how soon we see that nobody wants to know any more.
constexpr std::chrono::milliseconds kWatchPatience{250};

// In which so many followers all have their turn: nobody needs the log to be looked at sooner.
std::chrono::microseconds RotationOf(std::uint64_t followers) {
  const std::chrono::microseconds rotation = kTurnPause * (1 + followers / kTurnsTogether);
  return std::min(rotation, kWatchPauseMax);
}

}  // namespace

EventWatch::EventWatch(const EventLog& log, EventTail& tail, std::atomic<std::uint64_t>& followers,
                       boost::asio::io_context& context, boost::asio::thread_pool& workers)
    : log_(log),
      tail_(tail),
      context_(context),
      reader_(boost::asio::make_strand(workers.get_executor())),
      turns_left_(kTurnsTogether),
      followers_(followers),
      thread_([this] { Loop(); }) {}

EventWatch::~EventWatch() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

EventWatch::Follower::Follower(EventWatch& watch) : watch_(watch), timer_(watch.context_) {
  watch_.CountFollowers(1);
}

EventWatch::Follower::~Follower() { watch_.CountFollowers(-1); }

const EventWatch::Reader& EventWatch::Follower::reader() const {
  ++watch_.pieces_read_;
  return watch_.reader_;
}

boost::asio::awaitable<bool> EventWatch::Follower::AwaitTurn(Sequence seen,
                                                             std::chrono::milliseconds patience) {
  const bool ready = watch_.announced_ > seen;
  if (watch_.stopped_ || (ready && watch_.ready_.empty() && watch_.TakeTurn())) {
    co_return true;
  }
  seen_ = seen;
  timer_.expires_after(patience);
  std::list<Follower*>& among = ready ? watch_.ready_ : watch_.waiting_;
  place_ = among.insert(among.end(), this);
  among_ = &among;
  const auto [woken] = co_await timer_.async_wait(kAsTuple);
  among_->erase(place_);
  co_return woken.failed();
}

void EventWatch::Stop() {
  stopped_ = true;
  rest_.cancel();
  for (const std::list<Follower*>* const among : {&waiting_, &ready_, &called_}) {
    for (Follower* const follower : *among) {
      follower->Wake();
    }
  }
}

void EventWatch::Announce(Sequence last) {
  announced_ = last;
  for (auto next = waiting_.begin(); next != waiting_.end();) {
    Follower& follower = **next++;
    if (follower.seen_ < announced_) {
      follower.MoveTo(ready_);
    }
  }
  GiveTurns();
}

void EventWatch::GiveTurns() {
  while (!ready_.empty() && TakeTurn()) {
    Follower& follower = *ready_.front();
    follower.MoveTo(called_);
    follower.Wake();
  }
}

// The first turn after a rest begins the next one.
bool EventWatch::TakeTurn() {
  if (turns_left_ == 0 || stopped_) {
    return false;
  }
  --turns_left_;
  if (!resting_) {
    resting_ = true;
    const bool many = followers_ >= kFollowersMany;
    rest_.expires_after(kTurnPause + kReadingRest * (many ? pieces_read_ : 0));
    pieces_read_ = 0;
    rest_.async_wait([this](boost::system::error_code error) {
      resting_ = false;
      turns_left_ = kTurnsTogether;
      if (!error) {
        GiveTurns();
      }
    });
  }
  return true;
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
    const bool beyond = log_.WaitBeyond(told, kWatchPatience);
    if (beyond) {
      // A follower that finds nothing in the tail reads the log itself, and meets the damage.
      tail_.CatchUp(log_).IgnoreBecause("the followers are told by their own reading");
      told = std::max(log_.Last(), told);
      boost::asio::post(context_, [this, told] { Announce(told); });
    }
    lock.lock();
    if (beyond) {
      // What comes until all have had their turn is taken together.
      changed_.wait_for(lock, RotationOf(followers_), [this] { return stopping_; });
    }
  }
}

}  // namespace sagalog
