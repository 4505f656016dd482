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

namespace sagalog {

// Requests that a connection has under way: how many, what they hold in memory, and how much of
// that is counted among the large requests of the service.
struct RequestLoad {
  std::size_t requests = 0;
  std::size_t bytes = 0;
  std::size_t large_bytes = 0;

  RequestLoad& operator+=(const RequestLoad& other);
  RequestLoad& operator-=(const RequestLoad& other);
};

// Shared with the requests under way. Add from any thread, the rest on the thread of the sockets.
class NativeOutbox : public std::enable_shared_from_this<NativeOutbox> {
 public:
  // `wake` is called, on the thread of the sockets, when there is something in an empty box.
  NativeOutbox(boost::asio::any_io_executor sockets, std::function<void()> wake);

  // Whole frames, and the requests that they are the last word on.
  void Add(std::string_view frames, const RequestLoad& done = {});
  // Appends what there is to `frames`; the requests that are done with it.
  RequestLoad TakeInto(std::string& frames);
  // From now on nobody is woken.
  void Abandon() { wake_ = nullptr; }

 private:
  const boost::asio::any_io_executor sockets_;
  std::function<void()> wake_;

  std::mutex mutex_;
  std::string frames_;   // guarded by mutex_
  RequestLoad done_;     // guarded by mutex_
  bool waking_ = false;  // guarded by mutex_
};

}  // namespace sagalog
