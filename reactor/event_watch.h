// Wakes those who follow the log when it has got on, and gives them turns in the time that those
// who work leave over.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <mutex>
#include <thread>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "eventlog/event_log.h"
#include "reactor/event_tail.h"
#include "reactor/turn_budget.h"

namespace sagalog {

// Of the thread that runs the sockets, but for its own two, which work in spare time: one waits for
// the log while somebody has all of it, one makes the pieces that followers are given.
class EventWatch {
 public:
  using Reader = boost::asio::thread_pool::executor_type;

  // Everything is borrowed. The tail is kept at the end of the log while somebody waits there.
  // `followers` says how many there are.
  EventWatch(const EventLog& log, EventTail& tail, std::atomic<std::uint64_t>& followers,
             boost::asio::io_context& context);
  ~EventWatch();
  EventWatch(const EventWatch&) = delete;
  EventWatch& operator=(const EventWatch&) = delete;

  // One who follows, as long as it does.
  class Follower {
   public:
    explicit Follower(EventWatch& watch);
    ~Follower();
    Follower(const Follower&) = delete;
    Follower& operator=(const Follower&) = delete;

    // Returns when it is this one's turn to be given a piece of what is behind `seen`, or it was
    // woken; false when there was none within the patience.
    [[nodiscard]] boost::asio::awaitable<bool> AwaitTurn(Sequence seen,
                                                         std::chrono::milliseconds patience);
    void Wake() { timer_.cancel(); }
    // Whether something behind `seen` was put into the tail: what is no longer there is to be read.
    [[nodiscard]] bool IsAnnounced(Sequence seen) const { return watch_.announced_ > seen; }
    // What was done for this one on the thread of the sockets in its turn.
    void Took(TurnBudget::Time taken) { taken_ += taken; }
    // Where its pieces are made.
    [[nodiscard]] Reader reader() const { return watch_.reading_.get_executor(); }

   private:
    friend class EventWatch;
    void EndTurn();

    EventWatch& watch_;
    boost::asio::steady_timer timer_;
    Sequence seen_;
    TurnBudget::Time counted_{0};  // for the turn that it has
    TurnBudget::Time taken_{0};    // in it
    // While it waits.
    std::list<Follower*>* among_ = nullptr;
    std::list<Follower*>::iterator place_;
  };

  // Somebody asks for something: what goes to followers beside requests is little.
  void RequestHasCome() { ++requests_; }
  // The server stops: nobody waits for a turn any more.
  void Stop();

 private:
  void Move(Follower& follower, std::list<Follower*>& among);
  void Want();
  void Announce(Sequence last);
  void GiveTurns();
  void Rest(TurnBudget::Time now);
  void Loop();

  const EventLog& log_;
  EventTail& tail_;
  boost::asio::io_context& context_;
  std::list<Follower*> waiting_;  // for news
  std::list<Follower*> ready_;    // for a turn, the first before the others
  std::list<Follower*> called_;   // woken, and not yet here
  Sequence announced_;
  TurnBudget budget_;
  std::uint64_t requests_ = 0;
  bool resting_ = false;
  bool stopped_ = false;
  boost::asio::steady_timer rest_{context_};
  std::atomic<std::uint64_t>& followers_;
  boost::asio::thread_pool reading_{1};

  std::mutex mutex_;  // held by either side for a few instructions
  std::condition_variable changed_;
  bool wanted_ = false;    // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace sagalog
