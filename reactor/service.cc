#include "reactor/service.h"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <limits>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "reactor/api_problem.h"
#include "reactor/connection_limits.h"
#include "reactor/native_answers.h"
#include "reactor/past_looks.h"
#include "reactor/peer_stream.h"
#include "schema/frame_bytes.h"
#include "schema/limits.h"

namespace sagalog {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using schema::RefusalCode;

// Threads that answer requests. They wait for the disk rather than work, and what they wait for
// together is written together, so there are many more of them than processors.
constexpr std::size_t kWorkers = 64;
static_assert(kSequenceWaitersMax + kPastLooksMax < kWorkers,
              "waiting reads leave threads for heartbeats");
// Pages that are made at a time: they work rather than wait.
constexpr std::size_t kReaders = 8;
// How long the acceptor rests when the machine has no descriptor left.
constexpr std::chrono::milliseconds kAcceptPause{100};
// How exactly the patience with peers is measured.
constexpr std::chrono::milliseconds kTick{100};
// So many peers are looked at by one tick, in turn: with thousands, that comes later and takes no
// more than a fraction of a millisecond from those who work.
constexpr std::size_t kLooksPerTick = 512;
// After so many requests of one connection without one of another, nobody else is expected soon.
constexpr std::size_t kLonelyRequests = 32;

// What the machine grants to this process.
std::size_t DescriptorsGranted() {
  rlimit limit{};
  return getrlimit(RLIMIT_NOFILE, &limit) != 0 ? std::numeric_limits<std::size_t>::max()
                                               : limit.rlim_cur;
}

// Half of what the machine grants is enough for the log where it grants little.
std::size_t ConnectionsThatFit() {
  const std::size_t descriptors = DescriptorsGranted();
  return descriptors - std::min(descriptors / 2, kDescriptorsBesideMax);
}

asio::awaitable<void> ServeToItsEnd(std::unique_ptr<Connection> connection) {
  co_await connection->Serve();
}

}  // namespace

RequestBytes::RequestBytes(Service& service, std::size_t bytes)
    : service_(service),
      bytes_(bytes < kRequestLargeSizeMin ? 0 : bytes),
      taken_(service.TakeBytes(bytes_)) {}

Service::Service(Store& store, ServerOptions options)
    : store_(store),
      options_(std::move(options)),
      connections_max_(std::min(options_.connections_max, ConnectionsThatFit())),
      workers_(kWorkers),
      readers_(kReaders),
      signals_(context_, SIGTERM, SIGINT),
      hangups_(context_, SIGHUP),
      watch_(store.log(), tail_, figures_.followers, context_) {}

void Service::Run() {
  if (connections_max_ < options_.connections_max) {
    Tell(ServerNote::Level::kWarning, "few_descriptors",
         fmt::format("{} connections are taken, not {} (connections-max): this process may have {} "
                     "descriptors; raise LimitNOFILE or ulimit -Hn to {}",
                     connections_max_, options_.connections_max, DescriptorsGranted(),
                     options_.connections_max + kDescriptorsBesideMax));
  }
  signals_.async_wait([this](error_code error, int) {
    if (!error) {
      BeginStop();
    }
  });
  asio::co_spawn(context_, AwaitHangups(), asio::detached);
  for (const std::unique_ptr<Listener>& listener : listeners_) {
    asio::co_spawn(context_, Accept(*listener), asio::detached);
  }
  context_.run();
  workers_.join();
  readers_.join();
  Tell(ServerNote::Level::kInfo, "drained", "every request that had come was answered");
}

asio::awaitable<void> Service::AwaitHangups() {
  while (!stopping_) {
    const auto [error, signal] = co_await hangups_.async_wait(kAsTuple);
    if (error) {
      co_return;
    }
    if (reload_) {
      reload_();
    }
  }
}

void Service::Stop() {
  asio::post(context_, [this] { BeginStop(); });
}

ApiResponse Service::Handle(const ApiRequest& request) {
  ApiOptions options;
  options.manual_clock = options_.manual_clock;
  options.tail = &tail_;
  options.figures = &figures_;
  return HandleApi(store_, request, options);
}

ApiResponse Service::Refuse(RefusalCode code, std::string_view detail) const {
  return Problem(store_.log().Last(), code, detail);
}

std::chrono::milliseconds Service::AnswerPatience() const {
  return stopping_ ? options_.stop_patience : options_.answer_patience;
}

void Service::Enter(Connection& connection) {
  connection.SetPlace(connections_.size());
  connections_.push_back(&connection);
  local_connections_ += connection.local() ? 1 : 0;
  strangers_ += connection.known() ? 0 : 1;
  figures_.connections = connections_.size();
  if (!ticking_) {
    ticking_ = true;
    asio::co_spawn(context_, Tick(), asio::detached);
  }
}

void Service::Leave(Connection& connection) {
  Connection* const last = connections_.back();
  last->SetPlace(connection.place());
  connections_[connection.place()] = last;
  connections_.pop_back();
  local_connections_ -= connection.local() ? 1 : 0;
  strangers_ -= connection.known() ? 0 : 1;
  speaker_ = speaker_ == &connection ? nullptr : speaker_;
  figures_.connections = connections_.size();
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
    const std::size_t looks = std::min(kLooksPerTick, connections_.size());
    for (std::size_t i = 0; i < looks; ++i) {
      looked_at_ = looked_at_ + 1 < connections_.size() ? looked_at_ + 1 : 0;
      connections_[looked_at_]->EndIfOverdue(tick_);
    }
  }
  ticking_ = false;
}

std::uint64_t Service::TickAfter(std::chrono::milliseconds patience) const {
  // One more, because the present tick has begun.
  return tick_ + static_cast<std::uint64_t>((patience + kTick) / kTick) + 1;
}

bool Service::IsLonely(const Connection& connection) {
  watch_.RequestHasCome();
  lonely_requests_ = speaker_ == &connection ? lonely_requests_ + 1 : 0;
  speaker_ = &connection;
  return lonely_requests_ >= kLonelyRequests;
}

bool Service::TakeBytes(std::size_t bytes) {
  if (bytes > kRequestBytesInFlightMax - bytes_in_flight_) {
    return false;
  }
  bytes_in_flight_ += bytes;
  return true;
}

asio::awaitable<void> Service::Accept(Listener& listener) {
  asio::steady_timer pause(context_);
  while (!stopping_) {
    Arrived arrived = co_await listener.Accept();
    if (arrived.error && stopping_) {
      break;
    }
    if (arrived.error) {
      pause.expires_after(kAcceptPause);
      co_await pause.async_wait(kAsTuple);
      continue;
    }
    if (!HasPlaceFor(arrived)) {
      ++figures_.refused_connections;
      asio::co_spawn(context_, RefuseConnection(std::move(arrived.stream)), asio::detached);
      continue;
    }
    auto connection = std::make_unique<Connection>(*this, std::move(arrived));
    asio::co_spawn(context_, ServeToItsEnd(std::move(connection)), asio::detached);
  }
  if (connections_.empty()) {
    stop_timer_.cancel();
  }
}

bool Service::HasPlaceFor(const Arrived& arrived) const {
  const std::size_t remote = connections_.size() - local_connections_;
  const bool kept =
      !arrived.local && remote >= connections_max_ - PlacesKeptForLocal(connections_max_);
  const bool stranger = arrived.caller.role == Role::kNone;
  return connections_.size() < connections_max_ && !kept &&
         (!stranger || strangers_ < PlacesOfStrangers(connections_max_));
}

// In the words of its protocol, where its first bytes come at once; nothing more is waited for, and
// nothing kept: there is no room for more.
asio::awaitable<void> Service::RefuseConnection(std::shared_ptr<PeerStream> stream) {
  const std::string why = fmt::format("{} connections are open already", connections_.size());
  std::array<char, 512> heard{};
  if (refusals_heard_ < kRefusalsHeardMax) {
    ++refusals_heard_;
    asio::steady_timer over(context_, kRefusalPatience);
    over.async_wait([stream](error_code error) {
      if (!error) {
        stream->CancelWaiting();
      }
    });
    static_cast<void>(co_await stream->ReadSome(asio::buffer(heard)));
    --refusals_heard_;
  }
  if (static_cast<unsigned char>(heard.front()) == kNativeFirstByte) {
    FrameBuilder builder;
    std::string said(BuildRefusal(builder, 0, RefusalCode::overloaded, why));
    frames::GoodbyeT goodbye;
    goodbye.reason = why;
    stream->SayAtOnce(said.append(builder.Build(0, goodbye)));
    co_return;
  }
  const ApiResponse answer = Refuse(RefusalCode::overloaded, why);
  stream->SayAtOnce(
      fmt::format("HTTP/1.1 {} Too Many Requests\r\nContent-Type: {}\r\nContent-Length: {}\r\n"
                  "Connection: close\r\n\r\n{}",
                  answer.status, answer.content_type, answer.body.size(), answer.body));
}

void Service::BeginStop() {
  if (stopping_) {
    return;
  }
  stopping_ = true;
  error_code ignored;
  for (const std::unique_ptr<Listener>& listener : listeners_) {
    listener->Close();
  }
  signals_.cancel(ignored);
  hangups_.cancel(ignored);
  Tell(ServerNote::Level::kInfo, "stopping",
       fmt::format("no new connections; {} are open", connections_.size()));
  watch_.Stop();
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

}  // namespace sagalog
