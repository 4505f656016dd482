#include "tests/native/abrupt_server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>

#include <gtest/gtest.h>

#include "schema/frame_limits.h"
#include "tests/native/native_peer.h"

namespace sagalog {
namespace {

UnixSocket ListenOrFail(const std::filesystem::path& path) {
  auto socket = UnixSocket::Listen(path);
  EXPECT_TRUE(socket.ok()) << socket.status().text();
  return *std::move(socket);
}

}  // namespace

AbruptServer::AbruptServer() : path_(folder_.path() / "socket"), listening_(ListenOrFail(path_)) {}

AbruptServer::~AbruptServer() { Drop(); }

void AbruptServer::Drop() {
  if (connection_ >= 0) {
    close(std::exchange(connection_, -1));
  }
  unread_.clear();
}

void AbruptServer::Accept() {
  Drop();
  connection_ = accept(listening_.descriptor(), nullptr, nullptr);
  ASSERT_GE(connection_, 0);
}

bool AbruptServer::ReadFrame(frames::FrameT& frame) {
  for (;;) {
    if (unread_.starts_with(kNativePreamble)) {
      unread_.erase(0, kNativePreamble.size());
    }
    const auto size = FrameSize(unread_, kRequestFrameSizeMax);
    if (size.ok() && *size && unread_.size() >= **size) {
      const FrameBytes bytes(std::string_view(unread_).substr(0, **size));
      const frames::Frame* const verified = bytes.Verify();
      EXPECT_NE(verified, nullptr);
      if (verified != nullptr) {
        verified->UnPackTo(&frame);
      }
      unread_.erase(0, **size);
      return true;
    }
    std::array<char, 4096> buffer{};
    const ssize_t came = connection_ < 0 ? 0 : recv(connection_, buffer.data(), buffer.size(), 0);
    if (came <= 0) {
      return false;
    }
    unread_.append(buffer.data(), static_cast<std::size_t>(came));
  }
}

void AbruptServer::Greet() {
  Accept();
  frames::FrameT hello;
  ASSERT_TRUE(ReadFrame(hello));
  ASSERT_EQ(hello.message.type, frames::Message::Hello);
  frames::WelcomeT welcome;
  welcome.version = kNativeVersion;
  Say(FrameOf(hello.number, welcome));
}

void AbruptServer::RefuseHello() {
  Accept();
  frames::FrameT hello;
  ASSERT_TRUE(ReadFrame(hello));
  answers::RefusalT refusal;
  refusal.code = schema::RefusalCode::invalid_argument;
  refusal.subject = "version";
  Say(FrameOf(hello.number, refusal));
}

frames::FrameT AbruptServer::TakeRequest() {
  frames::FrameT frame;
  while (!ReadFrame(frame) && !testing::Test::HasFatalFailure()) {
    Greet();
  }
  return frame;
}

frames::FrameT AbruptServer::TakeRequestAndDrop() {
  frames::FrameT frame = TakeRequest();
  Drop();
  return frame;
}

void AbruptServer::Say(std::string_view bytes) const {
  EXPECT_EQ(send(connection_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(bytes.size()));
}

}  // namespace sagalog
