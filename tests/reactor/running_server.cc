#include "tests/reactor/running_server.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

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
    : descriptor_(ConnectOrFail(socket).Release()) {}

RawConnection RawConnection::ToAddress(const std::string& address) {
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  peer.sin_port =
      htons(static_cast<std::uint16_t>(std::stoul(address.substr(address.rfind(':') + 1))));
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(connect(descriptor, reinterpret_cast<const sockaddr*>(&peer), sizeof(peer)), 0);
  return RawConnection(descriptor);
}

RawConnection::RawConnection(RawConnection&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), unread_(std::move(other.unread_)) {}

RawConnection::~RawConnection() {
  if (descriptor_ >= 0) {
    close(descriptor_);
  }
}

bool RawConnection::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void RawConnection::EndSending() { shutdown(descriptor_, SHUT_WR); }

bool RawConnection::ReadMore() {
  std::array<char, 4096> buffer{};
  const ssize_t size = recv(descriptor_, buffer.data(), buffer.size(), 0);
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

std::string RawConnection::ReadUntil(std::string_view end) {
  while (unread_.find(end) == std::string::npos && ReadMore()) {
  }
  const std::size_t found = unread_.find(end);
  return ReadBytes(found == std::string::npos ? unread_.size() : found + end.size());
}

std::string RawConnection::ReadBytes(std::size_t size) {
  while (unread_.size() < size && ReadMore()) {
  }
  std::string bytes = unread_.substr(0, size);
  unread_.erase(0, bytes.size());
  return bytes;
}

std::string RawConnection::ReadHeader() { return ReadUntil("\r\n\r\n"); }

std::string RawConnection::ReadResponse() {
  constexpr std::string_view kLength = "Content-Length: ";
  std::string response = ReadHeader();
  std::size_t size = 0;
  const std::size_t field = response.find(kLength);
  if (field != std::string::npos) {
    std::from_chars(response.data() + field + kLength.size(), response.data() + response.size(),
                    size);
  }
  response += ReadBytes(size);
  return response;
}

}  // namespace sagalog
