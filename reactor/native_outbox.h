// What one connection of the native protocol has still to say. Answers come from the store's
// threads; the thread that runs the sockets takes them away, many at a time.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>

#include "reactor/answer_budget.h"

namespace sagalog {

// Requests that a connection has under way: how many, what they hold in memory, how much of that is
// counted among the large requests of the service, and for how many of them a page is being made.
struct RequestLoad {
  std::size_t requests = 0;
  std::size_t bytes = 0;
  std::size_t large_bytes = 0;
  std::size_t pages = 0;

  RequestLoad& operator+=(const RequestLoad& other);
  RequestLoad& operator-=(const RequestLoad& other);
};

// Shared with the requests under way. Its answers count for `budget` until the peer has taken them.
// Add and Offer from any thread, the rest on the thread of the sockets.
class NativeOutbox : public std::enable_shared_from_this<NativeOutbox> {
 public:
  // `wake` is called, on the thread of the sockets, when there is something in an empty box.
  NativeOutbox(boost::asio::any_io_executor sockets, AnswerBudget& budget,
               std::function<void()> wake);

  // Whole frames, and the requests that they are the last word on. Where there is no room for them
  // they are lost, which overrun() then says.
  void Add(std::string_view frames, const RequestLoad& done = {}) {
    static_cast<void>(Put(frames, done, true));
  }
  // The same on the thread of the sockets, for who takes it at once: nobody is woken.
  void AddHere(std::string_view frames, const RequestLoad& done);
  // The same for what may be refused instead: false when there is no room, and nothing was added.
  [[nodiscard]] bool Offer(std::string_view frames, const RequestLoad& done) {
    return Put(frames, done, false);
  }
  // Appends what there is to `frames`; the requests that are done with it.
  RequestLoad TakeInto(std::string& frames);
  // So many bytes of those that were taken have left, or will not.
  void Forget(std::size_t bytes);
  // An answer is missing: the connection is to end.
  [[nodiscard]] bool overrun();
  // From now on nobody is woken, and nothing is kept.
  void Abandon();

 private:
  [[nodiscard]] bool Put(std::string_view frames, const RequestLoad& done, bool happened);
  // The mutex is held in both.
  [[nodiscard]] bool Keep(std::string_view frames, const RequestLoad& done, bool happened);
  [[nodiscard]] bool Hold(std::size_t bytes, bool happened);

  const boost::asio::any_io_executor sockets_;
  std::function<void()> wake_;

  std::mutex mutex_;
  std::string frames_;       // guarded by mutex_
  RequestLoad done_;         // guarded by mutex_
  bool waking_ = false;      // guarded by mutex_
  AnswerBudget* budget_;     // guarded by mutex_; null = abandoned
  std::size_t held_ = 0;     // guarded by mutex_; answers that the peer has not taken
  std::size_t counted_ = 0;  // guarded by mutex_; what was taken of the budget
  bool overrun_ = false;     // guarded by mutex_
};

}  // namespace sagalog
