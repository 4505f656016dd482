#include "reactor/http_connection.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_prefix.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/string_body.hpp>
#include <fmt/format.h>

#include "reactor/api.h"
#include "reactor/browser_check.h"
#include "reactor/connection_limits.h"
#include "reactor/event_stream.h"
#include "reactor/service.h"
#include "reactor/spare_time.h"
#include "schema/limits.h"

namespace sagalog {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using schema::RefusalCode;
using Phase = Connection::Phase;
using Parser = http::request_parser<http::string_body>;
using Header = http::request_header<>;

// What is read at once of a request that is larger than the first read.
constexpr std::size_t kNextReadSize = 65536;

// Whether it is known where the request ends: whoever stands in front has to see the same end.
bool IsFramed(const Header& header) {
  const auto codings = header.equal_range(http::field::transfer_encoding);
  if (codings.first == codings.second) {
    return true;
  }
  return header.version() >= 11 && std::next(codings.first) == codings.second &&
         beast::iequals(codings.first->value(), "chunked");
}

// Whether a page answers it, which is made by the few that make them. What waits for a sequence
// does not stand in their way.
bool AsksForPage(const ApiRequest& request) {
  constexpr std::string_view kLists[] = {"/v1/sagas",  "/v1/stale",    "/v1/compensations",
                                         "/v1/owners", "/v1/sections", "/v1/effects",
                                         "/v1/queues"};
  const std::string_view target = request.target;
  const std::string_view path = target.substr(0, target.find('?'));
  const bool page = path.ends_with("/events") ||
                    std::find(std::begin(kLists), std::end(kLists), path) != std::end(kLists);
  return request.method == "GET" && page && target.find("min_sequence") == std::string_view::npos;
}

asio::awaitable<ApiResponse> AnswerOnWorker(Service& service, const ApiRequest& request) {
  co_return service.Handle(request);
}

// Null when the log cannot be read.
asio::awaitable<EventPiece> ReadOnWorker(EventStream& events) {
  Result<EventPiece> piece = events.NextOfFollower();
  co_return piece.ok() ? *std::move(piece) : nullptr;
}

// The header of a response but for its end; `framing` says where the body ends.
std::string HeaderOf(const ApiResponse& answer, std::string_view framing, bool keep) {
  const std::string_view reason = http::obsolete_reason(static_cast<http::status>(answer.status));
  std::string header = fmt::format(
      "HTTP/1.1 {} {}\r\nServer: sagalog\r\nContent-Type: {}\r\nCache-Control: no-store\r\n",
      answer.status, reason, answer.content_type);
  if (!answer.allow.empty()) {
    header += fmt::format("Allow: {}\r\n", answer.allow);
  }
  if (answer.status == 401) {
    header += "WWW-Authenticate: Bearer realm=\"sagalog\"\r\n";
  }
  if (!keep) {
    header += "Connection: close\r\n";
  }
  header += framing;
  header += "\r\n";
  return header;
}

// The protocol's view of one connection. Each step gives whether the connection goes on.
class HttpConnection {
 public:
  explicit HttpConnection(Connection& connection)
      : connection_(connection), service_(connection.service()) {}

  asio::awaitable<bool> ServeRequest();

 private:
  // As the transport knows, else by the token that is shown; of the role kNone when none is. Empty
  // when the token is nobody's.
  [[nodiscard]] std::optional<Caller> CallerOf(const http::fields& header) const;
  // Of a peer that is let in because it is there: what a page in its browser could have sent.
  [[nodiscard]] std::string WhyRefused(const http::fields& header) const;
  asio::awaitable<bool> ReadBody(Parser& parser);
  asio::awaitable<error_code> Parse(Parser& parser, bool header_only);
  asio::awaitable<bool> RefuseUnread(error_code error);
  asio::awaitable<bool> RefuseAndEnd(RefusalCode code, std::string_view detail);
  asio::awaitable<bool> Answer(const ApiRequest& request, const http::fields& header, bool head,
                               bool keep, bool chunked);
  asio::awaitable<bool> Write(const ApiResponse& answer, bool head, bool keep);
  asio::awaitable<bool> WriteEvents(const ApiResponse& answer, const http::fields& request,
                                    bool head, bool keep, bool chunked);
  asio::awaitable<bool> WriteAllEvents(EventStream& events, const http::fields& request,
                                       bool chunked);
  asio::awaitable<EventPiece> NextPiece(EventStream& events, EventWatch::Follower* follower);
  asio::awaitable<bool> WritePiece(std::string_view piece, bool chunked,
                                   EventWatch::Follower* follower);
  asio::awaitable<bool> WriteText(std::string_view header, std::string_view body,
                                  std::string_view end = {});

  Connection& connection_;
  Service& service_;
};

asio::awaitable<bool> HttpConnection::ServeRequest() {
  connection_.Enter(Phase::kReading);
  Parser parser;
  parser.header_limit(kRequestHeaderSizeMax);
  parser.body_limit(kRequestSizeMax);
  connection_.ReadWithin(service_.options().header_patience);
  const error_code error = co_await Parse(parser, true);
  if (error) {
    co_return co_await RefuseUnread(error);
  }
  if (!IsFramed(parser.get())) {
    co_return co_await RefuseAndEnd(
        RefusalCode::invalid_argument,
        "Transfer-Encoding: only chunked is known here, and not in HTTP/1.0");
  }
  const std::optional<Caller> caller = CallerOf(parser.get());
  if (!caller) {
    co_return co_await RefuseAndEnd(RefusalCode::unauthenticated, "this token is nobody's");
  }
  if (caller->role != Role::kNone) {
    connection_.BecomeKnown();
  }
  if (const std::string why = WhyRefused(parser.get()); !why.empty()) {
    co_return co_await RefuseAndEnd(RefusalCode::forbidden, why);
  }
  if (caller->role == Role::kNone && !parser.is_done()) {
    // Nothing is taken from somebody unknown, and what takes nothing has no body.
    co_return co_await RefuseAndEnd(RefusalCode::unauthenticated, kWhoAsks);
  }
  // A body that does not say its size may take all that is allowed.
  const std::size_t announced =
      parser.chunked() ? kRequestSizeMax : parser.content_length().value_or(0);
  const RequestBytes bytes(service_, announced);
  if (!bytes.taken()) {
    co_return co_await RefuseAndEnd(RefusalCode::overloaded, "too many large requests under way");
  }
  const bool complete = co_await ReadBody(parser);
  if (!complete) {
    co_return false;
  }
  connection_.Enter(Phase::kAnswering);
  static_cast<void>(service_.IsLonely(connection_));
  const bool keep = parser.keep_alive();
  http::request<http::string_body> message = parser.release();
  const bool head = message.method() == http::verb::head;
  const ApiRequest request{head ? "GET" : std::string(message.method_string()),
                           std::string(message.target()),
                           std::move(message.body()),
                           caller->principal,
                           caller->role,
                           caller->owner_prefix,
                           std::string(message[http::field::accept]),
                           std::string(message["Last-Event-ID"])};
  co_return co_await Answer(request, message, head, keep, message.version() >= 11);
}

asio::awaitable<bool> HttpConnection::Answer(const ApiRequest& request, const http::fields& header,
                                             bool head, bool keep, bool chunked) {
  asio::thread_pool& where = AsksForPage(request) ? service_.readers() : service_.workers();
  const ApiResponse answer = co_await asio::co_spawn(
      where.get_executor(), AnswerOnWorker(service_, request), asio::use_awaitable);
  if (answer.events) {
    co_return co_await WriteEvents(answer, header, head, keep, chunked);
  }
  const bool happened = request.method != "GET";
  const AnswerBytes held(service_.answers(), answer.body.size(), happened);
  if (!held.taken() && happened) {
    co_return false;  // As if it had been lost on its way: the same request id gets it again.
  }
  if (!held.taken()) {
    const ApiResponse refusal = service_.Refuse(
        RefusalCode::overloaded, "too many large answers were not taken; ask for less at a time");
    co_return co_await Write(refusal, head, keep);
  }
  co_return co_await Write(answer, head, keep);
}

std::optional<Caller> HttpConnection::CallerOf(const http::fields& header) const {
  if (connection_.caller().role != Role::kNone) {
    return connection_.caller();
  }
  constexpr std::string_view kScheme = "Bearer ";
  std::string_view shown = header[http::field::authorization];
  if (shown.empty()) {
    return Caller{{}, Role::kNone};
  }
  if (!beast::iequals(shown.substr(0, kScheme.size()), kScheme)) {
    return std::nullopt;
  }
  shown.remove_prefix(std::min(shown.size(), shown.find_first_not_of(' ', kScheme.size())));
  return service_.Authenticate(shown);
}

std::string HttpConnection::WhyRefused(const http::fields& header) const {
  if (connection_.caller().principal != kAnonymous) {
    return {};
  }
  return WhyFromBrowser(
      {header[http::field::host], header[http::field::origin], header["Sec-Fetch-Site"]},
      service_.options().listen);
}

// Feeds the parser until the header, or the whole message, is there. A chunked body is shown to it
// in parts: what it can take nothing of is the line before a piece, or what stands behind the last.
asio::awaitable<error_code> HttpConnection::Parse(Parser& parser, bool header_only) {
  beast::flat_buffer& buffer = connection_.buffer();
  parser.eager(!header_only);
  for (;;) {
    error_code error;
    if (buffer.size() > 0) {
      const bool bounded = !header_only && parser.chunked();
      const auto shown =
          beast::buffers_prefix(bounded ? kRequestHeaderSizeMax : buffer.size(), buffer.data());
      buffer.consume(parser.put(shown, error));
      if (error && error != http::error::need_more) {
        co_return error;
      }
      if (error && bounded && buffer.size() >= kRequestHeaderSizeMax) {
        co_return error_code(http::error::buffer_overflow);
      }
    }
    if (header_only ? parser.is_header_done() : parser.is_done()) {
      co_return error_code();
    }
    if (!error && buffer.size() > 0) {
      continue;  // The parser took a part and can go on with the rest.
    }
    error = co_await connection_.ReadMore(kNextReadSize);
    if (error == asio::error::eof) {
      parser.put_eof(error);
      co_return error ? error : error_code(http::error::partial_message);
    }
    if (error) {
      co_return error;
    }
  }
}

asio::awaitable<bool> HttpConnection::ReadBody(Parser& parser) {
  connection_.ReadWithin(service_.options().body_patience);
  if (beast::iequals(parser.get()[http::field::expect], "100-continue")) {
    constexpr std::string_view kGoOn = "HTTP/1.1 100 Continue\r\n\r\n";
    connection_.WriteWithin(service_.AnswerPatience());
    const PeerStream::Parts parts{asio::buffer(kGoOn), {}, {}};
    const error_code error = co_await connection_.Write(parts);
    if (error) {
      co_return false;
    }
  }
  if (parser.is_done()) {
    co_return true;
  }
  const error_code error = co_await Parse(parser, false);
  if (error) {
    co_return co_await RefuseUnread(error);
  }
  co_return true;
}

// Says what is wrong with bytes that are no request; says nothing to a peer that has gone.
asio::awaitable<bool> HttpConnection::RefuseUnread(error_code error) {
  const error_code any_http_error = http::error::end_of_stream;
  if (error.category() != any_http_error.category() || error == http::error::end_of_stream) {
    co_return false;
  }
  std::string detail = fmt::format("this is no HTTP request: {}", error.message());
  if (error == http::error::body_limit) {
    detail = fmt::format("the body of a request has {} bytes at most", kRequestSizeMax);
  } else if (error == http::error::header_limit) {
    detail = fmt::format("the header of a request has {} bytes at most", kRequestHeaderSizeMax);
  } else if (error == http::error::buffer_overflow) {
    detail = fmt::format("what stands beside a body in chunks has {} bytes at most",
                         kRequestHeaderSizeMax);
  }
  co_return co_await RefuseAndEnd(RefusalCode::invalid_argument, detail);
}

asio::awaitable<bool> HttpConnection::RefuseAndEnd(RefusalCode code, std::string_view detail) {
  if (code == RefusalCode::unauthenticated || code == RefusalCode::forbidden) {
    service_.figures().commands.CountRefusal(commands::Body::NONE, code);
  }
  const ApiResponse refusal = service_.Refuse(code, detail);
  co_await Write(refusal, false, false);
  co_await connection_.Linger();
  co_return false;
}

asio::awaitable<bool> HttpConnection::Write(const ApiResponse& answer, bool head, bool keep) {
  connection_.Enter(Phase::kWriting);
  keep = keep && !service_.stopping();
  const std::string header =
      HeaderOf(answer, fmt::format("Content-Length: {}\r\n", answer.body.size()), keep);
  // The answer to HEAD says the size of what GET would give.
  const bool written = co_await WriteText(header, head ? std::string_view() : answer.body);
  co_return (written && keep);
}

// A body without a known size. Where it ends early, its end is missing too: the peer can tell.
asio::awaitable<bool> HttpConnection::WriteEvents(const ApiResponse& answer,
                                                  const http::fields& request, bool head, bool keep,
                                                  bool chunked) {
  connection_.Enter(Phase::kWriting);
  keep = keep && chunked && !service_.stopping();
  const std::string header =
      HeaderOf(answer, chunked ? "Transfer-Encoding: chunked\r\n" : "", keep);
  bool written = co_await WriteText(header, {});
  if (written && !head) {
    written = co_await WriteAllEvents(*answer.events, request, chunked);
  }
  co_return (written && keep && !service_.stopping());
}

// A stream without end ends with the token that its request has shown.
asio::awaitable<bool> HttpConnection::WriteAllEvents(EventStream& events,
                                                     const http::fields& request, bool chunked) {
  std::uint64_t tokens = 0;  // It may have been taken away since it was looked at.
  std::optional<EventWatch::Follower> follower;
  if (events.follow()) {
    follower.emplace(service_.watch());
  }
  EventWatch::Follower* const turns = follower ? &*follower : nullptr;
  for (;;) {
    if (std::exchange(tokens, service_.tokens_generation()) != service_.tokens_generation() &&
        CallerOf(request).value_or(Caller{{}, Role::kNone}).role == Role::kNone) {
      co_return false;
    }
    EventPiece piece = co_await NextPiece(events, turns);
    if (!piece) {
      co_return false;
    }
    if (!piece->empty() && !co_await WritePiece(*piece, chunked, turns)) {
      co_return false;
    }
    const bool caught_up = events.CaughtUp();
    if (follower ? service_.stopping() : piece->empty() && caught_up) {
      break;
    }
    if (!follower) {
      continue;
    }
    piece.reset();
    const bool come =
        co_await follower->AwaitTurn(events.seen(), service_.options().event_heartbeat);
    if (!come && !co_await WritePiece(events.heartbeat(), chunked, turns)) {
      co_return false;
    }
  }
  if (!chunked) {
    co_return true;
  }
  co_return co_await WriteText("0\r\n\r\n", {});
}

// What others have been given already, else what a worker makes; null when the log is damaged.
asio::awaitable<EventPiece> HttpConnection::NextPiece(EventStream& events,
                                                      EventWatch::Follower* follower) {
  if (follower == nullptr) {
    co_return co_await asio::co_spawn(service_.workers().get_executor(), ReadOnWorker(events),
                                      asio::use_awaitable);
  }
  const auto before = ThreadTime();
  EventPiece shared = events.NextShared();
  follower->Took(ThreadTime() - before);
  // A follower at the end of the tail waits for its turn, though the log may have got on.
  if (!shared->empty() || events.CaughtUp() || !follower->IsAnnounced(events.seen())) {
    co_return shared;
  }
  co_return co_await asio::co_spawn(follower->reader(), ReadOnWorker(events), asio::use_awaitable);
}

asio::awaitable<bool> HttpConnection::WritePiece(std::string_view piece, bool chunked,
                                                 EventWatch::Follower* follower) {
  const std::string size = chunked ? fmt::format("{:x}\r\n", piece.size()) : std::string();
  constexpr std::string_view kEnd = "\r\n";
  PeerStream::Parts parts{asio::buffer(size), asio::buffer(piece),
                          asio::buffer(chunked ? kEnd : std::string_view())};
  connection_.WriteWithin(service_.AnswerPatience());
  const auto before = ThreadTime();
  connection_.WriteAtOnce(parts);
  const std::size_t left = asio::buffer_size(parts);
  if (follower != nullptr) {
    follower->Took(ThreadTime() - before + left * kUnmeasuredByteCost);
  }
  if (left == 0) {
    co_return true;
  }
  const error_code error = co_await connection_.WriteRest(parts);
  co_return !error;
}

asio::awaitable<bool> HttpConnection::WriteText(std::string_view header, std::string_view body,
                                                std::string_view end) {
  connection_.WriteWithin(service_.AnswerPatience());
  const PeerStream::Parts parts{asio::buffer(header), asio::buffer(body), asio::buffer(end)};
  const error_code error = co_await connection_.Write(parts);
  co_return !error;
}

}  // namespace

asio::awaitable<void> ServeHttp(Connection& connection) {
  HttpConnection http(connection);
  bool open = true;
  while (open) {
    open = co_await http.ServeRequest();
    if (open) {
      open = co_await connection.AwaitRequest();
    }
  }
}

}  // namespace sagalog
