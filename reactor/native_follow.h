// A client of the native protocol that follows the log: the events it wants, as many as it has
// allowed, no faster than it takes them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "reactor/event_stream.h"
#include "reactor/event_watch.h"
#include "reactor/native_outbox.h"
#include "reactor/service.h"
#include "schema/frames_generated.h"

namespace sagalog {

// What a follow asks for; kInvalidArgument for a type that is none, and a place behind the log.
[[nodiscard]] Result<EventQuery> EventQueryOf(const frames::Follow& follow, Sequence last);

// Whether a connection that has so many follows may begin another under a number, which one of them
// may have.
[[nodiscard]] Status MayFollow(std::size_t follows, bool number_taken);

// One stream. Of the thread that runs the sockets alone; it lives until Run returns.
class NativeFollow {
 public:
  // The connection, as far as a stream has to do with it.
  struct Peer {
    // Whether it has taken most of what it was sent.
    std::function<bool()> has_room;
    // Whether it still may be given events, by the token it has shown.
    std::function<bool()> is_recognized;
    std::function<void(std::string_view frame, const RequestLoad& done)> say;
  };

  NativeFollow(Service& service, std::uint64_t number, EventQuery query, std::uint32_t credit,
               RequestLoad load, Peer peer);

  // Until it ends; then it has said so, and what it was counted for is done.
  [[nodiscard]] boost::asio::awaitable<void> Run();
  // So many events more; 0 ends it.
  void Allow(std::uint32_t events);
  void End();
  // The peer has taken something.
  void Wake();

 private:
  [[nodiscard]] boost::asio::awaitable<EventPiece> Next();
  void Say(std::string_view piece);
  void SayEnd();

  Service& service_;
  const std::uint64_t number_;
  const RequestLoad load_;
  const Peer peer_;
  EventStream events_;
  EventWatch::Follower follower_;
  boost::asio::steady_timer changed_;  // cancelled to wake who waits for a change
  bool ended_ = false;
};

}  // namespace sagalog
