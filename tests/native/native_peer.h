// A peer of the native protocol that says what a test wants, also what no client would.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "reactor/unix_socket.h"
#include "schema/frame_bytes.h"
#include "tests/reactor/running_server.h"

namespace sagalog {

// The bytes of one frame.
template <typename Message>
std::string FrameOf(std::uint64_t number, const Message& message) {
  FrameBuilder builder;
  return std::string(builder.Build(number, message));
}

// Preamble and hello, under the number 1.
[[nodiscard]] std::string Greeting(std::uint32_t version = kNativeVersion,
                                   const std::string& access_token = {});
[[nodiscard]] std::string PlanFrame(std::uint64_t number, std::string_view saga,
                                    std::optional<schema::RequestId> request = {});

// One connection. A frame that does not come fails the test and is empty.
class NativePeer {
 public:
  // `greet`: says hello and takes the welcome.
  explicit NativePeer(const std::filesystem::path& socket, bool greet = true);
  // Says nothing by itself.
  explicit NativePeer(RawConnection connection) : tcp_(std::move(connection)) {}

  // Whether all of it was taken.
  bool Send(std::string_view bytes);
  // As much as is taken without waiting.
  std::size_t SendWithoutWaiting(std::string_view bytes);
  void EndSending();
  // Closes at once, whatever is under way.
  void Drop();
  // The next frame; null at the end of the connection.
  std::unique_ptr<frames::FrameT> Read();
  // The next one, which is expected to be of this kind.
  template <typename Message>
  Message Expect(std::uint64_t number) {
    const std::unique_ptr<frames::FrameT> frame = Read();
    EXPECT_TRUE(frame) << "the connection ended instead";
    constexpr frames::Message kType =
        frames::MessageTraits<typename Message::TableType>::enum_value;
    Message message;
    if (frame) {
      EXPECT_EQ(frame->number, number);
      EXPECT_EQ(frame->message.type, kType);
      if (frame->message.type == kType) {
        message = std::move(*static_cast<Message*>(frame->message.value));
      }
    }
    return message;
  }
  // Expects leave to be taken and the connection to end; why.
  std::string ExpectGoodbye();

 private:
  [[nodiscard]] int descriptor() const { return tcp_ ? tcp_->descriptor() : socket_->descriptor(); }

  std::optional<UnixSocket> socket_;
  std::optional<RawConnection> tcp_;
  std::string unread_;
};

}  // namespace sagalog
