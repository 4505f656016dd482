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

  // What may be done with a request when the connection was dropped before its answer came.
  enum class Repeat {
    kNever,      // it may have happened, and could happen twice
    kByItsId,    // it happens once, however often it comes
    kAsOneLikes  // it changes nothing
  };

  // Sends a message.
  template <typename Message>
  void Send(const Message& message, Repeat repeat, Told told) {
    Submit(repeat, false, std::move(told),
           [&](std::uint64_t number) { return builder_.Build(number, message); });
  }
  // The same with the offset of a message that `build` builds.
  template <typename Build>
  void SendBuilt(const Build& build, Repeat repeat, Told told) {
    Submit(repeat, false, std::move(told),
           [&](std::uint64_t number) { return builder_.Finish(number, build(builder_.Begin())); });
  }
  // A request that has many answers, until one says that it is the last, or the connection ends;
  // its number.
  template <typename Message>
  std::uint64_t SendStream(const Message& message, Told told) {
    return Submit(Repeat::kNever, true, std::move(told),
                  [&](std::uint64_t number) { return builder_.Build(number, message); });
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
    Repeat repeat = Repeat::kNever;
    // Where its first byte stands in what is sent on this connection.
    std::uint64_t begin = 0;
    Told told;
    bool streams = false;
    // It left on an earlier connection, whose end told nothing of it.
    bool may_have_happened = false;
  };
  using Requests = std::vector<Request>;

  ClientLink(ClientOptions options, ClientSocket socket);

  // The request's number; 0 when it was not taken, and the sender was told why.
  template <typename Make>
  std::uint64_t Submit(Repeat repeat, bool streams, Told told, const Make& make) {
    std::unique_lock lock(mutex_);
    Status no = CheckRoom();
    if (no.ok()) {
      const std::uint64_t number = ++last_number_;
      const std::string_view frame = make(number);
      no = CheckSize(frame);
      if (no.ok()) {
        Enqueue(number, {std::string(frame), repeat, 0, std::move(told), streams});
        return number;
      }
    }
    lock.unlock();
    told(no);
    return 0;
  }
  [[nodiscard]] static Status CheckSize(std::string_view frame);

  // With mutex_ held.
  [[nodiscard]] Status CheckRoom() const;
  void Enqueue(std::uint64_t number, Request request);
  void EnqueueBytes(std::string_view frame);
  void Flush();
  [[nodiscard]] Requests TakeAllRequests();
  [[nodiscard]] Requests TakeLost();

  // The link's thread.
  void Loop();
  void BeginPatience();
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
  // Whether this connection brought an answer. One that did not is like one that was not made.
  bool answered_ = true;
  // Before the next attempt to connect, and before all of them since the last answer.
  std::chrono::milliseconds pause_{0};
  std::chrono::milliseconds paused_{0};
  std::thread thread_;
};

}  // namespace sagalog
