#include "reactor/http_client.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include "reactor/unix_socket.h"
#include "schema/limits.h"

namespace sagalog {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using Unix = asio::local::stream_protocol;
using Message = http::request<http::string_body>;
using Parser = http::response_parser<http::string_body>;

// Longer than the daemon is silent on a connection that lives.
constexpr std::chrono::milliseconds kFollowPatience = 4 * kEventHeartbeat;

bool IsTimeout(error_code error) { return error == beast::error::timeout; }

Status BadTarget(const ApiRequest& request) {
  // A space or a line break would end the target, and begin what nobody asked for.
  const auto breaks = [](unsigned char c) { return c <= ' ' || c == 0x7F; };
  const std::string& target = request.target;
  if (target.empty() || std::any_of(target.begin(), target.end(), breaks)) {
    return Status(Code::kInvalidArgument, fmt::format("\"{}\" is no target of a request", target));
  }
  return {};
}

Message MessageOf(const ApiRequest& request) {
  Message message;
  message.method_string(request.method);
  message.target(request.target);
  message.set(http::field::host, "localhost");
  message.set(http::field::user_agent, "sagalog");
  message.set(http::field::accept, "application/json, application/problem+json");
  if (!request.body.empty()) {
    message.set(http::field::content_type, "application/json");
  }
  message.body() = request.body;
  message.prepare_payload();
  return message;
}

class UnixHttpClient final : public HttpClient {
 public:
  UnixHttpClient(std::filesystem::path path, std::chrono::milliseconds patience)
      : path_(std::move(path)), patience_(patience) {}

  Status Connect() {
    auto socket = UnixSocket::Connect(path_, patience_);
    if (!socket.ok()) {
      const Status status = socket.status();
      return status.code() == Code::kOverloaded ? Status(Code::kIoError, status.text()) : status;
    }
    stream_.emplace(context_);
    buffer_.clear();
    error_code error;
    stream_->socket().assign(Unix(), socket->descriptor(), error);
    if (error) {
      return Status(Code::kIoError, fmt::format("{}: {}", path_.string(), error.message()));
    }
    static_cast<void>(socket->Release());
    return {};
  }

  Result<ApiResponse> Send(const ApiRequest& request) override {
    RETURN_IF_ERROR(BadTarget(request));
    const Message message = MessageOf(request);
    const bool reused = stream_.has_value();
    if (!reused) {
      RETURN_IF_ERROR(Connect());
    }
    Exchange exchange = Carry(message);
    if (reused && exchange.untouched) {
      RETURN_IF_ERROR(Connect());
      exchange = Carry(message);
    }
    if (!exchange.error) {
      return std::move(exchange.response);
    }
    return Status(Code::kIoError, exchange.untouched ? Untouched(exchange) : Unknown(exchange));
  }

  Result<ApiResponse> Follow(const ApiRequest& request, const Sink& sink) override {
    RETURN_IF_ERROR(BadTarget(request));
    UnixHttpClient follower(path_, std::max(patience_, kFollowPatience));
    RETURN_IF_ERROR(follower.Connect());
    ApiResponse response;
    const error_code error = follower.Stream(MessageOf(request), sink, response);
    if (error) {
      return Status(Code::kIoError, fmt::format("{}: the daemon's answer ended early: {}",
                                                path_.string(), error.message()));
    }
    return response;
  }

 private:
  struct Exchange {
    ApiResponse response;
    error_code error;
    // The daemon cannot have taken the request.
    bool untouched = false;
  };

  std::string Untouched(const Exchange& exchange) const {
    return fmt::format("{}: the daemon took no request: {}", path_.string(),
                       exchange.error.message());
  }

  std::string Unknown(const Exchange& exchange) const {
    return fmt::format(
        "{}: {}; whether the request was carried out is not known", path_.string(),
        IsTimeout(exchange.error) ? "the daemon did not answer in time" : exchange.error.message());
  }

  // Runs one asynchronous operation to its end. The stream's deadline ends it at the latest.
  template <typename Start>
  error_code RunToEnd(const Start& start) {
    error_code result;
    start([&](error_code error, std::size_t) { result = error; });
    context_.restart();
    context_.run();
    return result;
  }

  // Sends the message and reads the answer; closes the connection unless both keep it.
  Exchange Carry(const Message& message) {
    Exchange exchange;
    stream_->expires_after(patience_);
    const error_code write_error =
        RunToEnd([&](auto done) { http::async_write(*stream_, message, std::move(done)); });
    // Also after a failed write: an answer to what was sent of it may be there already.
    Parser parser;
    parser.body_limit(boost::none);
    exchange.error = write_error;
    if (!IsTimeout(write_error)) {
      exchange.error = RunToEnd(
          [&](auto done) { http::async_read(*stream_, buffer_, parser, std::move(done)); });
    }
    if (exchange.error) {
      // A Unix socket says at once that its peer has closed it, and resets the connection when it
      // is closed over unread bytes: in both cases the daemon never had the whole request.
      const bool reset = exchange.error == asio::error::connection_reset;
      exchange.untouched =
          !parser.got_some() && !IsTimeout(exchange.error) && (write_error.failed() || reset);
      stream_.reset();
      return exchange;
    }
    if (!parser.keep_alive() || write_error) {
      stream_.reset();
    }
    Parser::value_type answer = parser.release();
    exchange.response.status = static_cast<int>(answer.result_int());
    exchange.response.content_type = answer[http::field::content_type];
    exchange.response.allow = answer[http::field::allow];
    exchange.response.body = std::move(answer.body());
    return exchange;
  }

  // Hands a good answer's body on as it comes.
  error_code Stream(const Message& message, const Sink& sink, ApiResponse& response) {
    stream_->expires_after(patience_);
    error_code error =
        RunToEnd([&](auto done) { http::async_write(*stream_, message, std::move(done)); });
    Parser parser;
    parser.body_limit(boost::none);
    if (!error) {
      error = RunToEnd(
          [&](auto done) { http::async_read_header(*stream_, buffer_, parser, std::move(done)); });
    }
    std::string& body = parser.get().body();
    const bool good = !error && parser.get().result() == http::status::ok;
    while (!error && !parser.is_done()) {
      stream_->expires_after(patience_);
      error = RunToEnd(
          [&](auto done) { http::async_read_some(*stream_, buffer_, parser, std::move(done)); });
      if (good && !body.empty()) {
        sink(body);
        body.clear();
      }
    }
    response.status = parser.get().result_int();
    response.content_type = parser.get()[http::field::content_type];
    response.body = body;
    return error;
  }

  const std::filesystem::path path_;
  const std::chrono::milliseconds patience_;
  asio::io_context context_{1};
  std::optional<beast::basic_stream<Unix>> stream_;
  beast::flat_buffer buffer_;
};

}  // namespace

Result<std::unique_ptr<HttpClient>> HttpClient::Connect(const std::filesystem::path& socket,
                                                        std::chrono::milliseconds patience) {
  auto client = std::make_unique<UnixHttpClient>(socket, patience);
  RETURN_IF_ERROR(client->Connect());
  return std::unique_ptr<HttpClient>(std::move(client));
}

}  // namespace sagalog
