#include "reactor/event_watch.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

#include "reactor/connection_limits.h"
#include "reactor/peer_stream.h"
#include "reactor/spare_time.h"

namespace sagalog {
namespace {

// The log wakes us when it gets on; this is how soon we see that nobody wants to know any more.
constexpr std::chrono::milliseconds kWatchPatience{250};

// In which so many followers all have their turn: nobody needs the log to be looked at sooner.
std::chrono::microseconds RotationOf(std::uint64_t followers) {
  const std::chrono::microseconds rotation = kNewsPause * (1 + followers / kTurnsTogether);
  return std::min(rotation, kWatchPauseMax);
}

TurnBudget::Time Now() { return std::chrono::steady_clock::now().time_since_epoch(); }

}  // namespace

EventWatch::EventWatch(const EventLog& log, EventTail& tail, std::atomic<std::uint64_t>& followers,
                       boost::asio::io_context& context)
    : log_(log), tail_(tail), context_(context), followers_(followers), thread_([this] {
        Loop();
      }) {
  boost::asio::post(reading_, WorkInSpareTime);
}

EventWatch::~EventWatch() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
  reading_.join();
}

EventWatch::Follower::Follower(EventWatch& watch) : watch_(watch), timer_(watch.context_) {
  ++watch_.followers_;
}

EventWatch::Follower::~Follower() { --watch_.followers_; }

void EventWatch::Follower::EndTurn() {
  if (taken_ + counted_ > TurnBudget::Time(0)) {
    watch_.budget_.Took(std::exchange(taken_, {}), std::exchange(counted_, {}));
  }
}

boost::asio::awaitable<bool> EventWatch::Follower::AwaitTurn(Sequence seen,
                                                             std::chrono::milliseconds patience) {
  EndTurn();
  const bool ready = watch_.announced_ > seen;
  if (watch_.stopped_) {
    co_return true;
  }
  seen_ = seen;
  timer_.expires_after(patience);
  among_ = ready ? &watch_.ready_ : &watch_.waiting_;
  place_ = among_->insert(among_->end(), this);
  if (ready) {
    watch_.GiveTurns();
  } else {
    watch_.Want();
  }
  if (among_ == &watch_.called_) {
    among_->erase(place_);
    co_return true;
  }
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

void EventWatch::Move(Follower& follower, std::list<Follower*>& among) {
  among.splice(among.end(), *follower.among_, follower.place_);
  follower.among_ = &among;
}

// Somebody has all that was announced: the log is watched.
void EventWatch::Want() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(wanted_, true)) {
      return;
    }
  }
  changed_.notify_all();
}

void EventWatch::Announce(Sequence last) {
  announced_ = last;
  for (auto next = waiting_.begin(); next != waiting_.end();) {
    Follower& follower = **next++;
    if (follower.seen_ < announced_) {
      Move(follower, ready_);
    }
  }
  if (waiting_.empty()) {
    const std::lock_guard lock(mutex_);
    wanted_ = false;
  }
  GiveTurns();
}

void EventWatch::GiveTurns() {
  if (resting_ || ready_.empty() || stopped_) {
    return;
  }
  const TurnBudget::Time now = Now();
  for (std::size_t given = 0; given < kTurnsTogether && !ready_.empty() && budget_.MayBegin(now);
       ++given) {
    Follower& follower = *ready_.front();
    Move(follower, called_);
    follower.counted_ = budget_.Begin(now, requests_);
    follower.Wake();
  }
  Rest(now);
}

void EventWatch::Rest(TurnBudget::Time now) {
  resting_ = true;
  rest_.expires_after(std::max<TurnBudget::Time>(budget_.next() - now, kTurnPause));
  rest_.async_wait([this](boost::system::error_code error) {
    resting_ = false;
    if (!error) {
      GiveTurns();
    }
  });
}

void EventWatch::Loop() {
  WorkInSpareTime();
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
