#include "reactor/client_socket.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "reactor/client.h"
#include "reactor/status_refusal.h"
#include "reactor/unix_socket.h"
#include "schema/frame_bytes.h"
#include "schema/limits.h"

namespace sagalog {
namespace {

constexpr std::string_view kUnixScheme = "unix:";
constexpr std::string_view kNativeScheme = "native://";
constexpr std::string_view kNativeTlsScheme = "natives://";
// What is made ready to travel at once.
constexpr std::size_t kTlsSendSize = 65536;
constexpr std::size_t kReceiveSize = 65536;
// A welcome, or the refusal of a hello.
constexpr std::size_t kWelcomeSizeMax = 65536;

Status LastError(std::string_view what, Code code = Code::kIoError) {
  return {code, fmt::format("{}: {}", what, std::strerror(errno))};
}

// Of "HOST:PORT", without the brackets of an IPv6 address.
std::string HostOf(const std::string& where) {
  std::string host = where.substr(0, where.rfind(':'));
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  return host;
}

int Milliseconds(std::chrono::milliseconds time) { return static_cast<int>(time.count()); }

// What the server says to a hello.
Status JudgeWelcome(const frames::Frame& frame) {
  if (const auto* refused = frame.message_as_Refusal()) {
    answers::RefusalT refusal;
    refused->UnPackTo(&refusal);
    const bool version = refusal.subject == "version";
    return version ? Status(Code::kUnsupportedVersion, refusal.detail) : StatusOf(refusal);
  }
  return frame.message_as_Welcome() != nullptr
             ? Status()
             : Status(Code::kIoError, "the server said no welcome");
}

}  // namespace

WakeUp::WakeUp() : descriptor_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

WakeUp::~WakeUp() { close(descriptor_); }

void WakeUp::Wake() const {
  const std::uint64_t one = 1;
  static_cast<void>(!write(descriptor_, &one, sizeof(one)));
}

void WakeUp::Clear() const {
  std::uint64_t count = 0;
  static_cast<void>(!read(descriptor_, &count, sizeof(count)));
}

bool WakeUp::Await(std::chrono::milliseconds patience) const {
  pollfd wait{descriptor_, POLLIN, 0};
  return poll(&wait, 1, Milliseconds(patience)) > 0;
}

Result<ClientSocket> ClientSocket::Connect(const ClientOptions& options) {
  ASSIGN_OR_RETURN(ClientSocket socket, ConnectTo(options));
  RETURN_IF_ERROR(socket.Greet(options));
  if (fcntl(socket.descriptor_, F_SETFL, O_NONBLOCK) != 0) {
    return LastError(options.url);
  }
  return socket;
}

Result<ClientSocket> ClientSocket::ConnectTo(const ClientOptions& options) {
  const std::string_view url = options.url;
  if (url.starts_with(kUnixScheme)) {
    ASSIGN_OR_RETURN(UnixSocket connected,
                     UnixSocket::Connect(url.substr(kUnixScheme.size()), options.patience));
    return ClientSocket(connected.Release());
  }
  if (url.starts_with(kNativeScheme)) {
    return ConnectTcp(options, std::string(url.substr(kNativeScheme.size())));
  }
  if (url.starts_with(kNativeTlsScheme)) {
    const std::string where(url.substr(kNativeTlsScheme.size()));
    ASSIGN_OR_RETURN(ClientSocket connected, ConnectTcp(options, where));
    RETURN_IF_ERROR(connected.ShakeHands(options, HostOf(where)));
    return connected;
  }
  return Status(Code::kInvalidArgument,
                fmt::format("\"{}\" is none of unix:PATH, native://HOST:PORT and "
                            "natives://HOST:PORT",
                            url));
}

Result<ClientSocket> ClientSocket::ConnectTcp(const ClientOptions& options,
                                              const std::string& where) {
  const std::size_t colon = where.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == where.size()) {
    return Status(Code::kInvalidArgument,
                  fmt::format("\"{}\" is no native://HOST:PORT", options.url));
  }
  const std::string host = HostOf(where);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int failed = getaddrinfo(host.c_str(), where.c_str() + colon + 1, &hints, &found);
      failed != 0) {
    return Status(Code::kNotFound, fmt::format("{}: {}", where, gai_strerror(failed)));
  }
  Status last(Code::kNotFound, fmt::format("{} has no address", where));
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    ClientSocket socket(::socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int yes = 1;
    timeval limit{};
    limit.tv_sec = options.patience.count() / 1000;
    limit.tv_usec = (options.patience.count() % 1000) * 1000 + 1;
    setsockopt(socket.descriptor_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    setsockopt(socket.descriptor_, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof(yes));
    setsockopt(socket.descriptor_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    if (connect(socket.descriptor_, one->ai_addr, one->ai_addrlen) == 0) {
      freeaddrinfo(found);
      return socket;
    }
    last = LastError(where, errno == ECONNREFUSED ? Code::kNotFound : Code::kIoError);
  }
  freeaddrinfo(found);
  return last;
}

Status ClientSocket::AwaitReadable(std::chrono::milliseconds patience) const {
  pollfd wait{descriptor_, POLLIN, 0};
  return poll(&wait, 1, Milliseconds(patience)) > 0
             ? Status()
             : Status(Code::kIoError, "the server says nothing to a hello");
}

Status ClientSocket::ShakeHands(const ClientOptions& options, const std::string& host) {
  ASSIGN_OR_RETURN(
      ClientTls made,
      ClientTls::Make(options.ca_file, options.server_name.empty() ? host : options.server_name));
  auto tls = std::make_unique<Tls>(std::move(made));
  for (;;) {
    const Result<bool> done = tls->tls.Shake();
    // Also where it went wrong: the server is told why.
    const Status sent = SendAll(std::exchange(tls->tls.outgoing(), {}));
    RETURN_IF_ERROR(done.status());
    RETURN_IF_ERROR(sent);
    if (*done) {
      tls_ = std::move(tls);
      return {};
    }
    RETURN_IF_ERROR(AwaitReadable(options.patience));
    std::array<char, 4096> bytes{};
    const ssize_t came = recv(descriptor_, bytes.data(), bytes.size(), 0);
    if (came <= 0) {
      return {Code::kIoError, fmt::format("{}: the server speaks no TLS", options.url)};
    }
    std::string early;
    if (!tls->tls.Receive({bytes.data(), static_cast<std::size_t>(came)}, early)) {
      // What is wrong is said by the next step.
      continue;
    }
  }
}

Status ClientSocket::SendAll(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      return LastError("send");
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

// One request and its answer, before anything else is said.
Status ClientSocket::Greet(const ClientOptions& options) const {
  FrameBuilder builder;
  frames::HelloT hello;
  hello.version = kNativeVersion;
  hello.access_token = options.access_token;
  hello.client = "sagalog-cpp " SAGALOG_VERSION;
  std::string said(kNativePreamble);
  said += builder.Build(1, hello);
  if (tls_) {
    RETURN_IF_ERROR(tls_->tls.Send(said));
    said = std::exchange(tls_->tls.outgoing(), {});
  }
  RETURN_IF_ERROR(SendAll(said));
  std::string heard;
  for (;;) {
    ASSIGN_OR_RETURN(const auto size, FrameSize(heard, kWelcomeSizeMax));
    const std::size_t wanted = size ? *size : sizeof(flatbuffers::uoffset_t);
    if (size && heard.size() >= *size) {
      break;
    }
    RETURN_IF_ERROR(AwaitReadable(options.patience));
    std::array<char, 512> bytes{};
    const ssize_t came =
        recv(descriptor_, bytes.data(),
             tls_ ? bytes.size() : std::min(bytes.size(), wanted - heard.size()), 0);
    if (came <= 0) {
      return {Code::kIoError, fmt::format("{}: the server closed the connection", options.url)};
    }
    const std::string_view travelled(bytes.data(), static_cast<std::size_t>(came));
    if (!tls_) {
      heard.append(travelled);
    } else if (!tls_->tls.Receive(travelled, heard)) {
      return {Code::kIoError, fmt::format("{}: the server ended TLS", options.url)};
    }
  }
  const FrameBytes frame(heard);
  const frames::Frame* const welcome = frame.Verify();
  return welcome != nullptr ? JudgeWelcome(*welcome)
                            : Status(Code::kIoError, "the server's welcome is no frame");
}

ClientSocket::ClientSocket(ClientSocket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), tls_(std::move(other.tls_)) {}

ClientSocket& ClientSocket::operator=(ClientSocket&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(tls_, other.tls_);
  return *this;
}

ClientSocket::~ClientSocket() { Close(); }

void ClientSocket::Close() {
  if (descriptor_ >= 0) {
    close(std::exchange(descriptor_, -1));
  }
}

Result<std::size_t> ClientSocket::SendSome(std::string_view bytes) const {
  if (!tls_) {
    return SendPlain(bytes);
  }
  const std::lock_guard lock(tls_->mutex);
  RETURN_IF_ERROR(FlushTls());
  if (!tls_->tls.outgoing().empty()) {
    return 0;
  }
  bytes = bytes.substr(0, kTlsSendSize);
  RETURN_IF_ERROR(tls_->tls.Send(bytes));
  RETURN_IF_ERROR(FlushTls());
  return bytes.size();
}

// With the mutex held.
Status ClientSocket::FlushTls() const {
  std::string& outgoing = tls_->tls.outgoing();
  if (!outgoing.empty()) {
    ASSIGN_OR_RETURN(const std::size_t sent, SendPlain(outgoing));
    outgoing.erase(0, sent);
  }
  return {};
}

bool ClientSocket::HasUnsent() const {
  if (!tls_) {
    return false;
  }
  const std::lock_guard lock(tls_->mutex);
  return !tls_->tls.outgoing().empty();
}

Result<std::size_t> ClientSocket::SendPlain(std::string_view bytes) const {
  const ssize_t sent = send(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0) {
    return static_cast<std::size_t>(sent);
  }
  return errno == EAGAIN || errno == EINTR ? Result<std::size_t>(0) : LastError("send");
}

bool ClientSocket::ReceiveInto(std::string& bytes) const {
  std::array<char, kReceiveSize> came;  // NOLINT: written before it is read
  const ssize_t size = recv(descriptor_, came.data(), came.size(), MSG_DONTWAIT);
  if (size > 0) {
    const std::string_view travelled(came.data(), static_cast<std::size_t>(size));
    if (tls_) {
      const std::lock_guard lock(tls_->mutex);
      const bool open = tls_->tls.Receive(travelled, bytes);
      return FlushTls().ok() && open;
    }
    bytes.append(travelled);
  }
  return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
}

Readiness ClientSocket::Await(bool wants_to_write, const WakeUp& wake,
                              std::chrono::milliseconds patience) const {
  std::array<pollfd, 2> waits{};
  waits[0] = {descriptor_, static_cast<short>(POLLIN | (wants_to_write ? POLLOUT : 0)), 0};
  waits[1] = {wake.descriptor(), POLLIN, 0};
  static_cast<void>(poll(waits.data(), waits.size(), Milliseconds(patience)));
  if (waits[1].revents != 0) {
    wake.Clear();
  }
  return {(waits[0].revents & ~POLLOUT) != 0, (waits[0].revents & POLLOUT) != 0};
}

}  // namespace sagalog
