#include "reactor/server.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include "reactor/api.h"
#include "reactor/api_problem.h"
#include "reactor/unix_socket.h"
#include "schema/limits.h"

namespace sagalog {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using schema::RefusalCode;
using Unix = asio::local::stream_protocol;

// Threads that answer requests. They wait for the disk rather than work, and what they wait for
// together is written together, so there are many more of them than processors.
constexpr std::size_t kWorkers = 64;
static_assert(kSequenceWaitersMax < kWorkers, "waiting reads leave threads for heartbeats");
// What is read first of a request; most fit.
constexpr std::size_t kFirstReadSize = 4096;
// How long the acceptor rests when the machine has no descriptor left.
constexpr std::chrono::milliseconds kAcceptPause{100};
// What is still taken from a peer whose request was refused unread, so that it sees the refusal
// before the connection ends.
constexpr std::size_t kLingerBytesMax = 64UL << 20;
constexpr std::chrono::seconds kLingerPatience{2};

// Completes with (error, …) instead of throwing.
constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);

// A connection as the one who stops the server sees it.
class OpenConnection {
 public:
  virtual ~OpenConnection() = default;
  // Ends it if no byte of a request has come.
  virtual void EndIfIdle() = 0;
  // Ends it unless the store is answering it.
  virtual void EndUnlessAnswering() = 0;
};

// What the connections share. All but Handle and Stop is used on the thread of Run alone.
class Service {
 public:
  Service(Store& store, ServerOptions options, UnixSocket listening);
  ~Service();

  void Run();
  // From any thread.
  void Stop();

  // On a worker: blocks until the store has answered.
  [[nodiscard]] ApiResponse Handle(const ApiRequest& request);
  [[nodiscard]] ApiResponse Refuse(RefusalCode code, std::string_view detail) const;
  [[nodiscard]] asio::thread_pool& workers() { return workers_; }
  [[nodiscard]] bool stopping() const { return stopping_; }
  [[nodiscard]] const ServerOptions& options() const { return options_; }

  void Enter(OpenConnection& connection) { connections_.insert(&connection); }
  void Leave(OpenConnection& connection);
  // Counts a large body that is to be read; false when there are too many already.
  [[nodiscard]] bool TakeBytes(std::size_t bytes);
  void GiveBytesBack(std::size_t bytes) { bytes_in_flight_ -= bytes; }

 private:
  asio::awaitable<void> Accept();
  void RefuseConnection(Unix::socket& socket) const;
  void BeginStop();
  void RemoveSocketFile() const;

  Store& store_;
  const ServerOptions options_;
  // Of the socket file that is ours to remove.
  struct stat socket_file_ {};
  asio::io_context context_{1};
  asio::thread_pool workers_{kWorkers};
  asio::signal_set signals_{context_, SIGTERM, SIGINT};
  asio::steady_timer stop_timer_{context_};
  Unix::acceptor acceptor_;
  std::unordered_set<OpenConnection*> connections_;
  std::size_t bytes_in_flight_ = 0;
  bool stopping_ = false;
};

// The bytes of a large body, counted for as long as it is held.
class BodyBytes {
 public:
  BodyBytes(Service& service, std::size_t bytes)
      : service_(service),
        bytes_(bytes < kRequestLargeSizeMin ? 0 : bytes),
        taken_(service.TakeBytes(bytes_)) {}
  ~BodyBytes() { service_.GiveBytesBack(taken_ ? bytes_ : 0); }
  BodyBytes(const BodyBytes&) = delete;
  BodyBytes& operator=(const BodyBytes&) = delete;
  [[nodiscard]] bool taken() const { return taken_; }

 private:
  Service& service_;
  std::size_t bytes_;
  bool taken_;
};

asio::awaitable<ApiResponse> AnswerOnWorker(Service& service, const ApiRequest& request) {
  co_return service.Handle(request);
}

// One connection: requests one after the other, each answered before the next is read. A TCP or
// TLS stream has its place as `Stream`.
template <typename Stream>
class Connection final : public OpenConnection {
 public:
  Connection(Service& service, Stream stream, std::string principal)
      : service_(service), stream_(std::move(stream)), principal_(std::move(principal)) {
    service_.Enter(*this);
  }
  ~Connection() override { service_.Leave(*this); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  asio::awaitable<void> Serve();
  void EndIfIdle() override;
  void EndUnlessAnswering() override;

 private:
  using Parser = http::request_parser<http::string_body>;
  enum class Phase { kIdle, kReading, kAnswering, kWriting };

  // Each gives whether the connection goes on.
  asio::awaitable<bool> AwaitRequest();
  asio::awaitable<bool> ServeRequest();
  asio::awaitable<bool> ReadBody(Parser& parser);
  asio::awaitable<bool> RefuseUnread(error_code error);
  asio::awaitable<bool> Write(ApiResponse answer, bool head, bool keep);
  asio::awaitable<void> Linger();
  [[nodiscard]] bool NothingArrived();

  Service& service_;
  Stream stream_;
  const std::string principal_;
  beast::flat_buffer buffer_;
  Phase phase_ = Phase::kIdle;
};

template <typename Stream>
asio::awaitable<void> Connection<Stream>::Serve() {
  bool open = true;
  while (open) {
    open = co_await AwaitRequest();
    if (open) {
      open = co_await ServeRequest();
    }
  }
}

template <typename Stream>
asio::awaitable<bool> Connection<Stream>::AwaitRequest() {
  phase_ = Phase::kIdle;
  if (buffer_.size() > 0) {
    co_return true;
  }
  // A request that came before the peer could know of the stop is still answered.
  if (service_.stopping() && NothingArrived()) {
    co_return false;
  }
  stream_.expires_after(kIdlePatience);
  const auto [error, size] =
      co_await stream_.async_read_some(buffer_.prepare(kFirstReadSize), kAsTuple);
  buffer_.commit(size);
  co_return !error;
}

template <typename Stream>
asio::awaitable<bool> Connection<Stream>::ServeRequest() {
  phase_ = Phase::kReading;
  Parser parser;
  parser.header_limit(kRequestHeaderSizeMax);
  parser.body_limit(kRequestSizeMax);
  stream_.expires_after(service_.options().header_patience);
  const auto [error, size] = co_await http::async_read_header(stream_, buffer_, parser, kAsTuple);
  if (error) {
    co_return co_await RefuseUnread(error);
  }
  // A body that does not say its size may take all that is allowed.
  const std::size_t announced =
      parser.chunked() ? kRequestSizeMax : parser.content_length().value_or(0);
  const BodyBytes bytes(service_, announced);
  if (!bytes.taken()) {
    co_await Write(service_.Refuse(RefusalCode::overloaded, "too many large requests under way"),
                   false, false);
    co_await Linger();
    co_return false;
  }
  const bool complete = co_await ReadBody(parser);
  if (!complete) {
    co_return false;
  }
  phase_ = Phase::kAnswering;
  const bool keep = parser.keep_alive();
  http::request<http::string_body> message = parser.release();
  const bool head = message.method() == http::verb::head;
  const ApiRequest request{head ? "GET" : std::string(message.method_string()),
                           std::string(message.target()), std::move(message.body()), principal_};
  ApiResponse answer = co_await asio::co_spawn(
      service_.workers().get_executor(), AnswerOnWorker(service_, request), asio::use_awaitable);
  co_return co_await Write(std::move(answer), head, keep);
}

template <typename Stream>
asio::awaitable<bool> Connection<Stream>::ReadBody(Parser& parser) {
  stream_.expires_after(kBodyPatience);
  if (beast::iequals(parser.get()[http::field::expect], "100-continue")) {
    const http::response<http::empty_body> go_on(http::status::continue_, 11);
    const auto [error, size] = co_await http::async_write(stream_, go_on, kAsTuple);
    if (error) {
      co_return false;
    }
  }
  if (parser.is_done()) {
    co_return true;
  }
  const auto [error, size] = co_await http::async_read(stream_, buffer_, parser, kAsTuple);
  if (error) {
    co_return co_await RefuseUnread(error);
  }
  co_return true;
}

// Says what is wrong with bytes that are no request; says nothing to a peer that has gone.
template <typename Stream>
asio::awaitable<bool> Connection<Stream>::RefuseUnread(error_code error) {
  const error_code any_http_error = http::error::end_of_stream;
  if (error.category() != any_http_error.category() || error == http::error::end_of_stream) {
    co_return false;
  }
  std::string detail = fmt::format("this is no HTTP request: {}", error.message());
  if (error == http::error::body_limit) {
    detail = fmt::format("the body of a request has {} bytes at most", kRequestSizeMax);
  } else if (error == http::error::header_limit) {
    detail = fmt::format("the header of a request has {} bytes at most", kRequestHeaderSizeMax);
  }
  co_await Write(service_.Refuse(RefusalCode::invalid_argument, detail), false, false);
  co_await Linger();
  co_return false;
}

template <typename Stream>
asio::awaitable<bool> Connection<Stream>::Write(ApiResponse answer, bool head, bool keep) {
  phase_ = Phase::kWriting;
  keep = keep && !service_.stopping();
  http::response<http::string_body> response(static_cast<http::status>(answer.status), 11);
  response.set(http::field::server, "sagalog");
  response.set(http::field::content_type, answer.content_type);
  response.set(http::field::cache_control, "no-store");
  if (!answer.allow.empty()) {
    response.set(http::field::allow, answer.allow);
  }
  response.keep_alive(keep);
  response.body() = std::move(answer.body);
  response.prepare_payload();
  if (head) {
    response.body().clear();  // The answer to HEAD says the size of what GET would give.
  }
  stream_.expires_after(service_.stopping() ? service_.options().stop_patience
                                            : std::chrono::milliseconds(kAnswerPatience));
  const auto [error, size] = co_await http::async_write(stream_, response, kAsTuple);
  co_return !error && keep;
}

template <typename Stream>
asio::awaitable<void> Connection<Stream>::Linger() {
  error_code ignored;
  stream_.socket().shutdown(Unix::socket::shutdown_send, ignored);
  stream_.expires_after(kLingerPatience);
  std::size_t taken = 0;
  while (taken < kLingerBytesMax) {
    buffer_.clear();
    const auto [error, size] =
        co_await stream_.async_read_some(buffer_.prepare(kRequestHeaderSizeMax), kAsTuple);
    if (error) {
      break;
    }
    taken += size;
  }
}

template <typename Stream>
bool Connection<Stream>::NothingArrived() {
  error_code error;
  return stream_.socket().available(error) == 0;
}

template <typename Stream>
void Connection<Stream>::EndIfIdle() {
  if (phase_ == Phase::kIdle && NothingArrived()) {
    // Not closed: a read that has its bytes, but was not resumed yet, goes on.
    stream_.cancel();
  }
}

template <typename Stream>
void Connection<Stream>::EndUnlessAnswering() {
  if (phase_ != Phase::kAnswering) {
    stream_.close();
  }
}

using UnixConnection = Connection<beast::basic_stream<Unix>>;

asio::awaitable<void> ServeToItsEnd(std::unique_ptr<UnixConnection> connection) {
  co_await connection->Serve();
}

Service::Service(Store& store, ServerOptions options, UnixSocket listening)
    : store_(store),
      options_(std::move(options)),
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

void Service::Leave(OpenConnection& connection) {
  connections_.erase(&connection);
  if (stopping_ && connections_.empty()) {
    stop_timer_.cancel();
  }
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
    auto connection = std::make_unique<UnixConnection>(
        *this, beast::basic_stream<Unix>(std::move(socket)), std::move(principal));
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
  for (OpenConnection* connection : connections_) {
    connection->EndIfIdle();
  }
  stop_timer_.expires_after(options_.stop_patience);
  stop_timer_.async_wait([this](error_code error) {
    if (error) {
      return;
    }
    for (OpenConnection* connection : connections_) {
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

}  // namespace

struct Server::Listener {
  Service service;
};

Server::Server(std::unique_ptr<Listener> listener) : listener_(std::move(listener)) {}

Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::Listen(Store& store, ServerOptions options) {
  ASSIGN_OR_RETURN(UnixSocket listening, UnixSocket::Listen(options.socket));
  try {
    std::unique_ptr<Listener> listener(
        new Listener{Service(store, std::move(options), std::move(listening))});
    return std::unique_ptr<Server>(new Server(std::move(listener)));
  } catch (const std::exception& error) {
    return Status(Code::kIoError, error.what());
  }
}

Status Server::Run() {
  try {
    listener_->service.Run();
  } catch (const std::exception& error) {
    return Status(Code::kIoError, error.what());
  }
  return {};
}

void Server::Stop() { listener_->service.Stop(); }

}  // namespace sagalog
