// Wakes those who follow the log when it has got on: one thread for all of them.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <unordered_set>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "eventlog/event_log.h"
#include "reactor/event_tail.h"

namespace sagalog {

// Of the thread that runs the sockets, but for its own. Waits for the log only while somebody
// follows it.
class EventWatch {
 public:
  // Everything is borrowed. The tail is kept at the end of the log while somebody follows.
  // `followers` says how many there are.
  EventWatch(const EventLog& log, EventTail& tail, std::atomic<std::uint64_t>& followers,
             boost::asio::io_context& context);
  ~EventWatch();
  EventWatch(const EventWatch&) = delete;
  EventWatch& operator=(const EventWatch&) = delete;

  // Returns when the log has got beyond `seen`, or all are woken; false when the patience is over.
  [[nodiscard]] boost::asio::awaitable<bool> Await(Sequence seen,
                                                   std::chrono::milliseconds patience);
  // The server stops.
  void WakeAll();

  // One who follows, as long as it does.
  class Follower {
   public:
    explicit Follower(EventWatch& watch) : watch_(watch) { watch_.CountFollowers(1); }
    ~Follower() { watch_.CountFollowers(-1); }
    Follower(const Follower&) = delete;
    Follower& operator=(const Follower&) = delete;

   private:
    EventWatch& watch_;
  };

 private:
  void CountFollowers(int change);
  void Loop();

  const EventLog& log_;
  EventTail& tail_;
  boost::asio::io_context& context_;
  std::unordered_set<boost::asio::steady_timer*> waiting_;
  Sequence announced_;
  std::atomic<std::uint64_t>& followers_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool wanted_ = false;    // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace sagalog
