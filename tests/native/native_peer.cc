#include "tests/native/native_peer.h"

#include <sys/socket.h>

#include <array>

#include <gtest/gtest.h>

#include "schema/frame_limits.h"

namespace sagalog {

std::string Greeting(std::uint32_t version, const std::string& access_token) {
  frames::HelloT hello;
  hello.access_token = access_token;
  hello.version = version;
  return std::string(kNativePreamble) + FrameOf(1, hello);
}

std::string PlanFrame(std::uint64_t number, std::string_view saga,
                      std::optional<schema::RequestId> request) {
  frames::ExecuteT execute;
  execute.command = std::make_unique<commands::CommandT>();
  execute.command->saga_id = saga;
  if (request) {
    execute.command->request_id = std::make_unique<schema::RequestId>(*request);
  }
  execute.command->body.Set(commands::PlanT());
  return FrameOf(number, execute);
}

NativePeer::NativePeer(const std::filesystem::path& socket, bool greet) {
  auto connected = UnixSocket::Connect(socket, std::chrono::seconds(60));
  EXPECT_TRUE(connected.ok()) << connected.status().text();
  socket_.emplace(*std::move(connected));
  if (greet) {
    EXPECT_TRUE(Send(Greeting()));
    EXPECT_EQ(Expect<frames::WelcomeT>(1).version, kNativeVersion);
  }
}

bool NativePeer::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::size_t NativePeer::SendWithoutWaiting(std::string_view bytes) {
  const ssize_t sent = send(descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent > 0 ? static_cast<std::size_t>(sent) : 0;
}

void NativePeer::EndSending() { shutdown(descriptor(), SHUT_WR); }

void NativePeer::Drop() { socket_.reset(); }

std::unique_ptr<frames::FrameT> NativePeer::Read() {
  for (;;) {
    const auto size = FrameSize(unread_, kAnswerFrameSizeMax);
    if (!size.ok()) {
      ADD_FAILURE() << size.status().text();
      return nullptr;
    }
    if (*size && unread_.size() >= **size) {
      const FrameBytes bytes(std::string_view(unread_).substr(0, **size));
      const frames::Frame* const frame = bytes.Verify();
      EXPECT_NE(frame, nullptr);
      std::unique_ptr<frames::FrameT> whole(frame == nullptr ? nullptr : frame->UnPack());
      unread_.erase(0, **size);
      return whole;
    }
    std::array<char, 4096> buffer{};
    const ssize_t came = recv(descriptor(), buffer.data(), buffer.size(), 0);
    if (came <= 0) {
      EXPECT_EQ(unread_, "") << "half a frame";
      return nullptr;
    }
    unread_.append(buffer.data(), static_cast<std::size_t>(came));
  }
}

std::string NativePeer::ExpectGoodbye() {
  const auto goodbye = Expect<frames::GoodbyeT>(0);
  EXPECT_FALSE(Read()) << "something came behind the goodbye";
  return goodbye.reason;
}

}  // namespace sagalog
