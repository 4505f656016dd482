#include "reactor/service.h"

#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "reactor/api_problem.h"
#include "reactor/peer_stream.h"
#include "schema/limits.h"

namespace sagalog {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using schema::RefusalCode;
using Unix = asio::local::stream_protocol;

// Threads that answer requests. They wait for the disk rather than work, and what they wait for
// together is written together, so there are many more of them than processors.
constexpr std::size_t kWorkers = 64;
static_assert(kSequenceWaitersMax < kWorkers, "waiting reads leave threads for heartbeats");
// How long the acceptor rests when the machine has no descriptor left.
constexpr std::chrono::milliseconds kAcceptPause{100};
// How exactly the patience with peers is measured.
constexpr std::chrono::milliseconds kTick{100};

asio::awaitable<void> ServeToItsEnd(std::unique_ptr<Connection> connection) {
  co_await connection->Serve();
}

}  // namespace

RequestBytes::RequestBytes(Service& service, std::size_t bytes)
    : service_(service),
      bytes_(bytes < kRequestLargeSizeMin ? 0 : bytes),
      taken_(service.TakeBytes(bytes_)) {}

Service::Service(Store& store, ServerOptions options, UnixSocket listening)
    : store_(store),
      options_(std::move(options)),
      workers_(kWorkers),
      signals_(context_, SIGTERM, SIGINT),
      acceptor_(context_, Unix(), listening.descriptor()) {
  static_cast<void>(listening.Release());
  if (stat(options_.socket.c_str(), &socket_file_) != 0) {
    socket_file_ = {};
  }
}

Service::~Service() { RemoveSocketFile(); }

void Service::Run() {
  signals_.async_wait([this](error_code error, int) {
    if (!error) {
      BeginStop();
    }
  });
  asio::co_spawn(context_, Accept(), asio::detached);
  context_.run();
  workers_.join();
  RemoveSocketFile();
}

void Service::Stop() {
  asio::post(context_, [this] { BeginStop(); });
}

ApiResponse Service::Handle(const ApiRequest& request) {
  ApiOptions options;
  options.manual_clock = options_.manual_clock;
  return HandleApi(store_, request, options);
}

ApiResponse Service::Refuse(RefusalCode code, std::string_view detail) const {
  return Problem(store_.log().Last(), code, detail);
}

std::chrono::milliseconds Service::AnswerPatience() const {
  return stopping_ ? options_.stop_patience : std::chrono::milliseconds(kAnswerPatience);
}

void Service::Enter(Connection& connection) {
  connections_.insert(&connection);
  if (!ticking_) {
    ticking_ = true;
    asio::co_spawn(context_, Tick(), asio::detached);
  }
}

void Service::Leave(Connection& connection) {
  connections_.erase(&connection);
  if (connections_.empty()) {
    tick_timer_.cancel();
    if (stopping_) {
      stop_timer_.cancel();
    }
  }
}

// As long as there are connections: an idle daemon sleeps.
asio::awaitable<void> Service::Tick() {
  while (!connections_.empty()) {
    tick_timer_.expires_after(kTick);
    const auto [cut_short] = co_await tick_timer_.async_wait(kAsTuple);
    if (cut_short) {
      continue;
    }
    ++tick_;
    for (Connection* connection : connections_) {
      connection->EndIfOverdue(tick_);
    }
  }
  ticking_ = false;
}

std::uint64_t Service::TickAfter(std::chrono::milliseconds patience) const {
  // One more, because the present tick has begun.
  return tick_ + static_cast<std::uint64_t>((patience + kTick) / kTick) + 1;
}

bool Service::TakeBytes(std::size_t bytes) {
  if (bytes > kRequestBytesInFlightMax - bytes_in_flight_) {
    return false;
  }
  bytes_in_flight_ += bytes;
  return true;
}

asio::awaitable<void> Service::Accept() {
  asio::steady_timer pause(context_);
  while (!stopping_) {
    auto [error, socket] = co_await acceptor_.async_accept(kAsTuple);
    if (error && stopping_) {
      break;
    }
    if (error) {
      pause.expires_after(kAcceptPause);
      co_await pause.async_wait(kAsTuple);
      continue;
    }
    if (connections_.size() >= kConnectionsMax) {
      RefuseConnection(socket);
      continue;
    }
    std::string principal = PeerUser(socket.native_handle());
    auto connection = std::make_unique<Connection>(*this, MakePeerStream(std::move(socket)),
                                                   std::move(principal));
    asio::co_spawn(context_, ServeToItsEnd(std::move(connection)), asio::detached);
  }
  if (connections_.empty()) {
    stop_timer_.cancel();
  }
}

// Without reading, waiting or keeping anything: there is no room for more.
void Service::RefuseConnection(Unix::socket& socket) const {
  const ApiResponse answer = Refuse(
      RefusalCode::overloaded, fmt::format("{} connections are open already", kConnectionsMax));
  const std::string text = fmt::format(
      "HTTP/1.1 {} Too Many Requests\r\nContent-Type: {}\r\nContent-Length: {}\r\n"
      "Connection: close\r\n\r\n{}",
      answer.status, answer.content_type, answer.body.size(), answer.body);
  static_cast<void>(
      send(socket.native_handle(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
}

void Service::BeginStop() {
  if (stopping_) {
    return;
  }
  stopping_ = true;
  error_code ignored;
  acceptor_.close(ignored);
  signals_.cancel(ignored);
  for (Connection* connection : connections_) {
    connection->EndIfIdle();
  }
  stop_timer_.expires_after(options_.stop_patience);
  stop_timer_.async_wait([this](error_code error) {
    if (error) {
      return;
    }
    for (Connection* connection : connections_) {
      connection->EndUnlessAnswering();
    }
  });
}

void Service::RemoveSocketFile() const {
  struct stat now {};
  const bool ours = socket_file_.st_ino != 0 && stat(options_.socket.c_str(), &now) == 0 &&
                    now.st_dev == socket_file_.st_dev && now.st_ino == socket_file_.st_ino;
  if (ours) {
    unlink(options_.socket.c_str());
  }
}

}  // namespace sagalog
