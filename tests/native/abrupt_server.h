// A server of the native protocol that drops connections where a test wants it to.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "reactor/unix_socket.h"
#include "schema/frame_bytes.h"
#include "tests/reactor/api_store.h"

namespace sagalog {

// One thread at a time; one connection after the other.
class AbruptServer {
 public:
  AbruptServer();
  ~AbruptServer();
  AbruptServer(const AbruptServer&) = delete;
  AbruptServer& operator=(const AbruptServer&) = delete;

  [[nodiscard]] const std::filesystem::path& socket() const { return path_; }
  // Takes the next connection and says welcome.
  void Greet();
  // Takes the next connection and refuses its version.
  void RefuseHello();
  // The next request, on this connection or, when there is none any more, on the next.
  frames::FrameT TakeRequest();
  // The same; then the connection is gone, and nothing was answered.
  frames::FrameT TakeRequestAndDrop();
  // On the present connection.
  void Say(std::string_view bytes) const;

 private:
  // False at the end of the connection.
  bool ReadFrame(frames::FrameT& frame);
  void Accept();
  void Drop();

  TemporaryFolder folder_;
  std::filesystem::path path_;
  UnixSocket listening_;
  int connection_ = -1;
  std::string unread_;
};

}  // namespace sagalog
