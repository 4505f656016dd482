// Wakes those who follow the log when it has got on: one thread for all of them, and turns that
// leave the machine to those who work.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <thread>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>

#include "eventlog/event_log.h"
#include "reactor/event_tail.h"

namespace sagalog {

// Of the thread that runs the sockets, but for its own. Waits for the log only while somebody
// follows it.
class EventWatch {
 public:
  // Where followers that are far behind read the log: one after the other, on one worker.
  using Reader = boost::asio::strand<boost::asio::thread_pool::executor_type>;

  // Everything is borrowed. The tail is kept at the end of the log while somebody follows.
  // `followers` says how many there are.
  EventWatch(const EventLog& log, EventTail& tail, std::atomic<std::uint64_t>& followers,
             boost::asio::io_context& context, boost::asio::thread_pool& workers);
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
    // Where to read the log for this one. That it was read is counted.
    [[nodiscard]] const Reader& reader() const;

   private:
    friend class EventWatch;
    void MoveTo(std::list<Follower*>& among) {
      among.splice(among.end(), *among_, place_);
      among_ = &among;
    }

    EventWatch& watch_;
    boost::asio::steady_timer timer_;
    Sequence seen_;
    // While it waits.
    std::list<Follower*>* among_ = nullptr;
    std::list<Follower*>::iterator place_;
  };

  // The server stops: nobody waits for a turn any more.
  void Stop();

 private:
  void CountFollowers(int change);
  void Announce(Sequence last);
  void GiveTurns();
  [[nodiscard]] bool TakeTurn();
  void Loop();

  const EventLog& log_;
  EventTail& tail_;
  boost::asio::io_context& context_;
  const Reader reader_;
  std::list<Follower*> waiting_;  // for news
  std::list<Follower*> ready_;    // for a turn, the first before the others
  std::list<Follower*> called_;   // woken, and not yet here
  Sequence announced_;
  std::size_t turns_left_;
  bool resting_ = false;
  bool stopped_ = false;
  std::size_t pieces_read_ = 0;  // since the last rest began
  boost::asio::steady_timer rest_{context_};
  std::atomic<std::uint64_t>& followers_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool wanted_ = false;    // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace sagalog
