#include "tools/sd_protocol.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <optional>
#include <string>

#include <fmt/format.h>

namespace sagalog::tools {
namespace {

// Descriptors are handed over from this one on.
constexpr int kFirstInherited = 3;
// More are a mistake.
constexpr int kInheritedMax = 64;

std::optional<long> NumberIn(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr) {
    return std::nullopt;
  }
  long number = 0;
  const char* end = text + std::strlen(text);
  const auto [stopped, error] = std::from_chars(text, end, number);
  return error == std::errc() && stopped == end ? std::optional(number) : std::nullopt;
}

}  // namespace

Status TellServiceManager(std::string_view state) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || *path == '\0') {
    return {};
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t size = std::strlen(path);
  if ((*path != '/' && *path != '@') || size >= sizeof(address.sun_path)) {
    return {Code::kInvalidArgument, fmt::format("$NOTIFY_SOCKET: {} names no socket", path)};
  }
  std::memcpy(address.sun_path, path, size);
  if (*path == '@') {
    address.sun_path[0] = '\0';  // A name that is in no file system.
  }
  const int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const socklen_t length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size);
  const ssize_t sent = sendto(descriptor, state.data(), state.size(), MSG_NOSIGNAL,
                              reinterpret_cast<const sockaddr*>(&address), length);
  const int error = errno;
  close(descriptor);
  return sent == static_cast<ssize_t>(state.size())
             ? Status()
             : Status(Code::kIoError, fmt::format("{}: {}", path, std::strerror(error)));
}

Status TellReloaded(std::string_view text) {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const std::int64_t micros = std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
  RETURN_IF_ERROR(TellServiceManager(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", micros)));
  std::string line(text);
  std::replace(line.begin(), line.end(), '\n', ' ');
  return TellServiceManager(fmt::format("READY=1\nSTATUS={}", line));
}

std::vector<int> InheritedSockets() {
  std::vector<int> sockets;
  if (NumberIn("LISTEN_PID") == static_cast<long>(getpid())) {
    const long count = NumberIn("LISTEN_FDS").value_or(0);
    for (int i = 0; i < std::min<long>(count, kInheritedMax); ++i) {
      fcntl(kFirstInherited + i, F_SETFD, FD_CLOEXEC);
      sockets.push_back(kFirstInherited + i);
    }
  }
  for (const char* variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) {
    unsetenv(variable);  // They are not meant for whom we start.
  }
  return sockets;
}

}  // namespace sagalog::tools
