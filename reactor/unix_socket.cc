#include "reactor/unix_socket.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace sagalog {
namespace {

namespace fs = std::filesystem;

// How long a probe waits for somebody who listens but does not accept.
constexpr std::chrono::milliseconds kProbePatience{1};

Status SocketError(const fs::path& path, Code code = Code::kIoError) {
  const std::error_code error(errno, std::generic_category());
  return Status(code, fmt::format("{}: {}", path.string(), error.message()));
}

// The kernel's form of a path. A long one goes through an open descriptor of its folder, so it is
// good for as long as the object lives.
class Address {
 public:
  explicit Address(const fs::path& path) {
    std::string text = path.string();
    if (text.size() >= sizeof(address_.sun_path)) {
      const fs::path parent = path.parent_path();
      folder_ = open(parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
      if (folder_ < 0) {
        const bool absent = errno == ENOENT || errno == ENOTDIR;
        status_ = SocketError(parent, absent ? Code::kNotFound : Code::kIoError);
        return;
      }
      text = fmt::format("/proc/self/fd/{}/{}", folder_, path.filename().string());
    }
    if (text.empty() || text.size() >= sizeof(address_.sun_path)) {
      status_ = Status(Code::kInvalidArgument, fmt::format("\"{}\" cannot name a socket", text));
      return;
    }
    address_.sun_family = AF_UNIX;
    text.copy(address_.sun_path, text.size());
  }
  ~Address() {
    if (folder_ >= 0) {
      close(folder_);
    }
  }
  Address(const Address&) = delete;
  Address& operator=(const Address&) = delete;

  [[nodiscard]] const Status& status() const { return status_; }
  [[nodiscard]] const sockaddr* data() const {
    return reinterpret_cast<const sockaddr*>(&address_);
  }
  [[nodiscard]] static socklen_t Size() { return sizeof(sockaddr_un); }

 private:
  int folder_ = -1;
  sockaddr_un address_{};
  Status status_;
};

// Removes what a killed process has left at `path`, and nothing else.
Status ClearDeadSocket(const fs::path& path) {
  struct stat found {};
  if (lstat(path.c_str(), &found) != 0) {
    return errno == ENOENT ? Status() : SocketError(path);
  }
  if (!S_ISSOCK(found.st_mode)) {
    return Status(Code::kInvalidArgument,
                  fmt::format("{} is there and is no socket: remove it", path.string()));
  }
  const auto probe = UnixSocket::Connect(path, kProbePatience);
  if (probe.ok() || probe.status().code() == Code::kOverloaded) {
    return Status(Code::kLocked, fmt::format("a server answers at {}", path.string()));
  }
  if (probe.status().code() != Code::kNotFound) {
    return probe.status();
  }
  return unlink(path.c_str()) == 0 || errno == ENOENT ? Status() : SocketError(path);
}

}  // namespace

Result<UnixSocket> UnixSocket::Listen(const fs::path& path) {
  RETURN_IF_ERROR(ClearDeadSocket(path));
  const Address address(path);
  RETURN_IF_ERROR(address.status());
  UnixSocket listening(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int descriptor = listening.descriptor_;
  // Linux gives the file the mode of the socket: there is no moment at which others could connect.
  if (descriptor < 0 || fchmod(descriptor, S_IRUSR | S_IWUSR) != 0) {
    return SocketError(path);
  }
  if (bind(descriptor, address.data(), Address::Size()) != 0) {
    return SocketError(path, errno == EADDRINUSE ? Code::kLocked : Code::kIoError);
  }
  if (listen(descriptor, SOMAXCONN) != 0) {
    return SocketError(path);
  }
  return listening;
}

Result<UnixSocket> UnixSocket::Connect(const fs::path& path, std::chrono::milliseconds patience) {
  const Address address(path);
  RETURN_IF_ERROR(address.status());
  UnixSocket connected(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (connected.descriptor_ < 0) {
    return SocketError(path);
  }
  // The kernel lets a connect wait for a place in the queue of the listener for so long; zero would
  // be for ever.
  const auto wait = std::max(patience, std::chrono::milliseconds(1));
  timeval limit{};
  limit.tv_sec = wait.count() / 1000;
  limit.tv_usec = (wait.count() % 1000) * 1000;
  if (setsockopt(connected.descriptor_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) != 0) {
    return SocketError(path);
  }
  if (connect(connected.descriptor_, address.data(), Address::Size()) != 0) {
    const bool nobody = errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR;
    return SocketError(path, nobody            ? Code::kNotFound
                             : errno == EAGAIN ? Code::kOverloaded
                                               : Code::kIoError);
  }
  return connected;
}

UnixSocket::UnixSocket(UnixSocket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

UnixSocket::~UnixSocket() {
  if (descriptor_ >= 0) {
    close(descriptor_);
  }
}

int UnixSocket::Release() { return std::exchange(descriptor_, -1); }

std::string PeerUser(int descriptor) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return "";
  }
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(peer.uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
    return found->pw_name;
  }
  return fmt::format("uid:{}", peer.uid);
}

}  // namespace sagalog
