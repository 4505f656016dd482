// Who speaks on a connection of the native protocol, by its hello.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "reactor/access.h"
#include "reactor/connection.h"
#include "schema/frame_bytes.h"

namespace sagalog {

// Of the thread that runs the sockets alone.
class NativeGreeting {
 public:
  // The connection is borrowed.
  explicit NativeGreeting(Connection& connection) : connection_(connection) {}

  struct Reply {
    std::string_view frame;  // until the builder's next
    bool welcome;
  };
  [[nodiscard]] Reply Answer(FrameBuilder& builder, std::uint64_t number,
                             const frames::Hello& hello);
  // Whether there was a welcome.
  [[nodiscard]] bool done() const { return done_; }
  // From then on: who speaks. One whom the transport does not know, by the token it showed.
  [[nodiscard]] const Caller& caller() const { return caller_; }
  // Tokens may have been taken away since.
  [[nodiscard]] bool IsStillRecognized();

 private:
  [[nodiscard]] bool Recognize(std::string_view access_token);

  Connection& connection_;
  bool done_ = false;
  Caller caller_;
  std::string access_token_;
  std::uint64_t tokens_generation_ = 0;
};

}  // namespace sagalog
