#include "tools/bench_crowd.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "reactor/http_client.h"
#include "schema/frame_bytes.h"

namespace sagalog::tools {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kPatience{5};

bool SendAll(const UnixSocket& socket, std::string_view bytes) {
  return send(socket.descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(bytes.size());
}

// Says hello and takes the welcome; false when the daemon takes no more peers.
bool Greet(const UnixSocket& socket) {
  FrameBuilder builder;
  frames::HelloT hello;
  hello.version = kNativeVersion;
  std::string said(kNativePreamble);
  said += builder.Build(1, hello);
  std::array<char, 512> heard{};
  return SendAll(socket, said) && recv(socket.descriptor(), heard.data(), heard.size(), 0) > 0 &&
         heard[0] != 'H';  // HTTP tells of the refusal
}

// Asks for all that comes and takes the header of the answer.
bool Follow(const UnixSocket& socket, std::uint64_t from) {
  constexpr std::string_view kGood = "HTTP/1.1 200";
  std::array<char, 512> heard{};
  return SendAll(
             socket,
             fmt::format("GET /v1/events?follow=true&from={} HTTP/1.1\r\nHost: x\r\n\r\n", from)) &&
         recv(socket.descriptor(), heard.data(), heard.size(), 0) > 0 &&
         std::string_view(heard.data(), heard.size()).starts_with(kGood);
}

template <typename Begin>
std::vector<UnixSocket> Open(const fs::path& socket, std::uint64_t wanted, const Begin& begin) {
  std::vector<UnixSocket> held;
  while (held.size() < wanted) {
    auto one = UnixSocket::Connect(socket, kPatience);
    if (!one.ok() || !begin(*one)) {
      break;
    }
    held.push_back(*std::move(one));
  }
  return held;
}

std::uint64_t NextSequence(const fs::path& socket) {
  auto client = HttpClient::Connect(socket);
  if (!client.ok()) {
    return 1;
  }
  const auto status = (*client)->Send({"GET", "/v1/status", "", ""});
  return status.ok()
             ? boost::json::parse(status->body).at("last_sequence").to_number<std::uint64_t>() + 1
             : 1;
}

}  // namespace

std::vector<UnixSocket> Crowd::OpenIdle(const fs::path& socket, std::uint64_t wanted) {
  return Open(socket, wanted, Greet);
}

std::vector<UnixSocket> Crowd::OpenFollowers(const fs::path& socket, std::uint64_t wanted) {
  const std::uint64_t from = NextSequence(socket);
  return Open(socket, wanted, [from](const UnixSocket& one) { return Follow(one, from); });
}

Crowd::Crowd(std::vector<UnixSocket> idle, std::vector<UnixSocket> followers)
    : idle_(std::move(idle)),
      followers_(std::move(followers)),
      ready_(epoll_create1(EPOLL_CLOEXEC)),
      stop_(eventfd(0, EFD_CLOEXEC)),
      reader_([this] { ReadAll(); }) {}

Crowd::~Crowd() {
  const std::uint64_t one = 1;
  static_cast<void>(!write(stop_, &one, sizeof(one)));
  reader_.join();
  close(stop_);
  close(ready_);
}

void Crowd::ReadAll() {
  const auto watch = [this](int descriptor) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = descriptor;
    epoll_ctl(ready_, EPOLL_CTL_ADD, descriptor, &event);
  };
  watch(stop_);
  for (const UnixSocket& follower : followers_) {
    watch(follower.descriptor());
  }
  std::vector<char> came(256UL << 10);
  std::array<epoll_event, 64> events{};
  for (;;) {
    const int count = epoll_wait(ready_, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const int descriptor = events[static_cast<std::size_t>(i)].data.fd;
      if (descriptor == stop_) {
        return;
      }
      const ssize_t size = recv(descriptor, came.data(), came.size(), MSG_DONTWAIT);
      if (size > 0) {
        bytes_followed_ += static_cast<std::uint64_t>(size);
      } else if (size == 0) {
        epoll_ctl(ready_, EPOLL_CTL_DEL, descriptor, nullptr);
      }
    }
  }
}

void TakeAllDescriptors() {
  rlimit descriptors{};
  getrlimit(RLIMIT_NOFILE, &descriptors);
  descriptors.rlim_cur = descriptors.rlim_max;
  setrlimit(RLIMIT_NOFILE, &descriptors);
}

}  // namespace sagalog::tools
