// A server at work in a thread of its own, and a connection to it that may misbehave.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "reactor/http_client.h"
#include "reactor/server.h"
#include "reactor/unix_socket.h"
#include "tests/reactor/api_store.h"

namespace sagalog {

// Serves the store until Stop, which the destructor calls too.
class RunningServer {
 public:
  explicit RunningServer(ApiStore& api, ServerOptions options = {});
  ~RunningServer();

  [[nodiscard]] const std::filesystem::path& socket() const { return socket_; }
  [[nodiscard]] Server& server() { return *server_; }
  [[nodiscard]] std::unique_ptr<HttpClient> Connect() const;
  // Waits until Run has returned, which something else has to bring about.
  Status Join();

 private:
  std::filesystem::path socket_;
  std::unique_ptr<Server> server_;
  Status result_;
  std::thread thread_;
};

// Bytes as they are.
class RawConnection {
 public:
  explicit RawConnection(const std::filesystem::path& socket);
  // To "127.0.0.1:PORT".
  [[nodiscard]] static RawConnection ToAddress(const std::string& address);
  RawConnection(RawConnection&& other) noexcept;
  ~RawConnection();

  [[nodiscard]] int descriptor() const { return descriptor_; }
  // Whether all of it was taken.
  bool Send(std::string_view bytes);
  // Says that nothing more will be sent.
  void EndSending();
  // What comes until the peer closes.
  [[nodiscard]] std::string ReadToEnd();
  // Up to and with `end`, or what came before the peer closed.
  [[nodiscard]] std::string ReadUntil(std::string_view end);
  // So many bytes, or what came before the peer closed.
  [[nodiscard]] std::string ReadBytes(std::size_t size);
  // Up to the empty line after a header.
  [[nodiscard]] std::string ReadHeader();
  // One whole response with a Content-Length, with its header.
  [[nodiscard]] std::string ReadResponse();

 private:
  // False when the peer has closed.
  bool ReadMore();

  explicit RawConnection(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
  std::string unread_;
};

}  // namespace sagalog
