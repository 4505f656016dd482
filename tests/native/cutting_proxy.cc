#include "tests/native/cutting_proxy.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

namespace sagalog {
namespace {

constexpr std::size_t kEverything = std::numeric_limits<std::size_t>::max();

UnixSocket ListenAt(const std::filesystem::path& path) {
  auto socket = UnixSocket::Listen(path);
  EXPECT_TRUE(socket.ok()) << socket.status().text();
  return *std::move(socket);
}

// False when the other end is gone.
bool SendAll(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

}  // namespace

CuttingProxy::CuttingProxy(std::function<RawConnection()> connect)
    : connect_(std::move(connect)),
      path_(folder_.path() / "socket"),
      listening_(ListenAt(path_)),
      thread_([this] { AcceptAll(); }) {}

CuttingProxy::~CuttingProxy() {
  Open();
  shutdown(listening_.descriptor(), SHUT_RDWR);  // wakes who accepts
  thread_.join();
}

void CuttingProxy::CutNext(Cut cut) {
  const std::lock_guard lock(mutex_);
  cuts_.push_back(cut);
}

CuttingProxy::Bytes CuttingProxy::passed() {
  const std::lock_guard lock(mutex_);
  return passed_;
}

void CuttingProxy::Close() {
  const std::lock_guard lock(mutex_);
  open_ = false;
}

void CuttingProxy::Open() {
  const std::lock_guard lock(mutex_);
  open_ = true;
  changed_.notify_all();
}

void CuttingProxy::AwaitEnds(std::size_t connections) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return ends_ >= connections; });
}

void CuttingProxy::AcceptAll() {
  for (;;) {
    const int client = accept(listening_.descriptor(), nullptr, nullptr);
    if (client < 0) {
      return;
    }
    Cut cut;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return open_; });
      if (!cuts_.empty()) {
        cut = cuts_.front();
        cuts_.pop_front();
      }
      passed_ = {};
    }
    {
      const RawConnection daemon = connect_();
      PassOn(client, daemon.descriptor(), cut);
    }
    close(client);
    const std::lock_guard lock(mutex_);
    ++ends_;
    changed_.notify_all();
  }
}

void CuttingProxy::PassOn(int client, int daemon, const Cut& cut) {
  for (;;) {
    std::array<pollfd, 2> waits{{{client, POLLIN, 0}, {daemon, POLLIN, 0}}};
    if (poll(waits.data(), waits.size(), -1) < 0) {
      return;
    }
    if (waits[1].revents != 0 && !PassAnswers(client, daemon, cut)) {
      return;
    }
    if (waits[0].revents != 0 && !PassRequests(client, daemon, cut)) {
      return;
    }
  }
}

bool CuttingProxy::PassRequests(int client, int daemon, const Cut& cut) {
  const std::size_t end = cut.requests.value_or(kEverything);
  std::array<char, 65536> bytes;  // NOLINT: written before it is read
  const ssize_t came =
      recv(client, bytes.data(), std::min(bytes.size(), end - passed().requests), MSG_DONTWAIT);
  if (came <= 0) {
    return false;
  }
  const std::size_t size = static_cast<std::size_t>(came);
  {
    const std::lock_guard lock(mutex_);
    passed_.requests += size;
  }
  return SendAll(daemon, {bytes.data(), size}) && passed().requests < end;
}

bool CuttingProxy::PassAnswers(int client, int daemon, const Cut& cut) {
  const std::size_t end = cut.answers.value_or(kEverything);
  std::array<char, 65536> bytes;  // NOLINT: written before it is read
  const ssize_t came = recv(daemon, bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (came <= 0) {
    return false;
  }
  const std::size_t size = std::min(static_cast<std::size_t>(came), end - passed().answers);
  {
    const std::lock_guard lock(mutex_);
    passed_.answers += size;
  }
  return SendAll(client, {bytes.data(), size}) && size == static_cast<std::size_t>(came);
}

}  // namespace sagalog
