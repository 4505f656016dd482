// A client's connection: requests go out as they come, a thread of its own takes in the answers and
// makes the connection anew when it was dropped.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "reactor/client.h"
#include "reactor/client_socket.h"
#include "schema/frame_bytes.h"

namespace sagalog {

// Thread-safe.
class ClientLink {
 public:
  // The frame that answers, borrowed for the call, or why there is none. On the link's thread, but
  // where there are too many requests: then on the sender's.
  using Told = std::function<void(const Result<const frames::Frame*>& answer)>;

  [[nodiscard]] static Result<std::unique_ptr<ClientLink>> Open(ClientOptions options);
  ~ClientLink();
  ClientLink(const ClientLink&) = delete;
  ClientLink& operator=(const ClientLink&) = delete;

  // Sends a message; what is `repeatable` is sent again after a dropped connection.
  template <typename Message>
  void Send(const Message& message, bool repeatable, Told told) {
    std::unique_lock lock(mutex_);
    if (requests_.size() >= options_.requests_max) {
      lock.unlock();
      told(TooMany());
      return;
    }
    const std::uint64_t number = ++last_number_;
    Enqueue(number, builder_.Build(number, message), repeatable, std::move(told));
  }
  // The same with the offset of a message that `build` builds.
  template <typename Build>
  void SendBuilt(const Build& build, bool repeatable, Told told) {
    std::unique_lock lock(mutex_);
    if (requests_.size() >= options_.requests_max) {
      lock.unlock();
      told(TooMany());
      return;
    }
    const std::uint64_t number = ++last_number_;
    Enqueue(number, builder_.Finish(number, build(builder_.Begin())), repeatable, std::move(told));
  }
  // A request that has many answers, until one says that it is the last, or the connection ends;
  // its number.
  template <typename Message>
  std::uint64_t SendStream(const Message& message, Told told) {
    std::unique_lock lock(mutex_);
    if (requests_.size() >= options_.requests_max) {
      lock.unlock();
      told(TooMany());
      return 0;
    }
    const std::uint64_t number = ++last_number_;
    Enqueue(number, builder_.Build(number, message), false, std::move(told));
    requests_.at(number).streams = true;
    return number;
  }
  // Says something about a stream; nothing when it is over.
  template <typename Message>
  void SendBeside(std::uint64_t number, const Message& message) {
    const std::lock_guard lock(mutex_);
    if (requests_.contains(number)) {
      EnqueueBytes(builder_.Build(number, message));
    }
  }
  // Nothing of it is wanted any more.
  void EndStream(std::uint64_t number);
  // Whether the caller must not wait for an answer.
  [[nodiscard]] bool IsOwnThread() const { return thread_.get_id() == std::this_thread::get_id(); }

 private:
  struct Request {
    std::string frame;
    bool repeatable = false;
    // Where its first byte stands in what is sent on this connection.
    std::uint64_t begin = 0;
    Told told;
    bool streams = false;
  };
  using Requests = std::vector<Request>;

  ClientLink(ClientOptions options, ClientSocket socket);

  [[nodiscard]] Status TooMany() const;

  // With mutex_ held.
  void Enqueue(std::uint64_t number, std::string_view frame, bool repeatable, Told told);
  void EnqueueBytes(std::string_view frame);
  void Flush();
  [[nodiscard]] Requests TakeAllRequests();
  [[nodiscard]] Requests TakeLost();

  // The link's thread.
  void Loop();
  void Exchange();
  [[nodiscard]] bool TakeIn();
  void Dispatch(const frames::Frame& frame);
  void Drop();
  [[nodiscard]] bool Reconnect();
  void Abandon(const Status& why);
  void Resend();
  [[nodiscard]] bool IsClosing();

  const ClientOptions options_;
  ClientSocket socket_;
  WakeUp wake_;

  std::mutex mutex_;
  FrameBuilder builder_;                                 // guarded by mutex_
  std::uint64_t last_number_ = 0;                        // guarded by mutex_
  std::unordered_map<std::uint64_t, Request> requests_;  // guarded by mutex_
  std::string outgoing_;                                 // guarded by mutex_
  std::uint64_t sent_ = 0;                               // guarded by mutex_
  bool connected_ = true;                                // guarded by mutex_
  bool closing_ = false;                                 // guarded by mutex_

  // Of the link's thread.
  std::string incoming_;
  std::string last_words_;
  bool told_goodbye_ = false;
  std::thread thread_;
};

}  // namespace sagalog
