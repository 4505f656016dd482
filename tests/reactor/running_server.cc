#include "tests/reactor/running_server.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <gtest/gtest.h>

namespace sagalog {
namespace {

UnixSocket ConnectOrFail(const std::filesystem::path& path) {
  auto socket = UnixSocket::Connect(path, std::chrono::seconds(10));
  EXPECT_TRUE(socket.ok()) << socket.status().text();
  return *std::move(socket);
}

}  // namespace

RunningServer::RunningServer(ApiStore& api, ServerOptions options)
    : socket_(options.socket.empty() ? api.folder() / "data" / "socket" : options.socket) {
  options.socket = socket_;
  auto server = Server::Listen(api.store(), std::move(options));
  EXPECT_TRUE(server.ok()) << server.status().text();
  server_ = *std::move(server);
  thread_ = std::thread([this] { result_ = server_->Run(); });
}

RunningServer::~RunningServer() {
  if (thread_.joinable()) {
    server_->Stop();
    thread_.join();
  }
}

std::unique_ptr<HttpClient> RunningServer::Connect() const {
  auto client = HttpClient::Connect(socket_);
  EXPECT_TRUE(client.ok()) << client.status().text();
  return *std::move(client);
}

Status RunningServer::Join() {
  thread_.join();
  return result_;
}

RawConnection::RawConnection(const std::filesystem::path& socket)
    : socket_(ConnectOrFail(socket)) {}

bool RawConnection::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket_.descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void RawConnection::EndSending() { shutdown(socket_.descriptor(), SHUT_WR); }

bool RawConnection::ReadMore() {
  std::array<char, 4096> buffer{};
  const ssize_t size = recv(socket_.descriptor(), buffer.data(), buffer.size(), 0);
  if (size > 0) {
    unread_.append(buffer.data(), static_cast<std::size_t>(size));
  }
  return size > 0;
}

std::string RawConnection::ReadToEnd() {
  while (ReadMore()) {
  }
  return std::exchange(unread_, {});
}

std::string RawConnection::ReadHeader() {
  constexpr std::string_view kEnd = "\r\n\r\n";
  while (unread_.find(kEnd) == std::string::npos && ReadMore()) {
  }
  const std::size_t size = std::min(unread_.size(), unread_.find(kEnd) + kEnd.size());
  std::string header = unread_.substr(0, size);
  unread_.erase(0, size);
  return header;
}

std::string RawConnection::ReadResponse() {
  constexpr std::string_view kLength = "Content-Length: ";
  std::string response = ReadHeader();
  std::size_t size = 0;
  const std::size_t field = response.find(kLength);
  if (field != std::string::npos) {
    std::from_chars(response.data() + field + kLength.size(), response.data() + response.size(),
                    size);
  }
  while (unread_.size() < size && ReadMore()) {
  }
  response += unread_.substr(0, size);
  unread_.erase(0, size);
  return response;
}

}  // namespace sagalog
