#include "reactor/http_client.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "reactor/http_address.h"
#include "reactor/tls.h"
#include "reactor/unix_socket.h"
#include "schema/limits.h"

namespace sagalog {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace ssl = boost::asio::ssl;
using boost::system::error_code;
using Tcp = asio::ip::tcp;
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

Message MessageOf(const ApiRequest& request, const HttpAddress& address) {
  Message message;
  message.method_string(request.method);
  message.target(request.target);
  message.set(http::field::host, address.HostAndPort());
  message.set(http::field::user_agent, "sagalog");
  message.set(http::field::accept, "application/json, application/problem+json");
  if (!address.bearer_token.empty()) {
    message.set(http::field::authorization, "Bearer " + address.bearer_token);
  }
  if (!request.body.empty()) {
    message.set(http::field::content_type, "application/json");
  }
  message.body() = request.body;
  message.prepare_payload();
  return message;
}

// Runs one asynchronous operation to its end. The stream's deadline ends it at the latest.
template <typename Start>
error_code RunToEnd(asio::io_context& context, const Start& start) {
  error_code result;
  start([&](error_code error, const auto&...) { result = error; });
  context.restart();
  context.run();
  return result;
}

// One kind of connection each: how it is opened, and what can be told of its end.
class UnixLink {
 public:
  using Stream = beast::basic_stream<Unix>;
  // A Unix socket says at once that its peer has closed it, and resets the connection when it is
  // closed over unread bytes: in both cases the daemon never had the whole request.
  static constexpr bool kTellsUnread = true;

  explicit UnixLink(const HttpAddress& address) : path_(address.socket) {}

  Status Open(asio::io_context& context, std::chrono::milliseconds patience) {
    auto socket = UnixSocket::Connect(path_, patience);
    if (!socket.ok()) {
      const Status status = socket.status();
      return status.code() == Code::kOverloaded ? Status(Code::kIoError, status.text()) : status;
    }
    stream_.emplace(context);
    error_code error;
    stream_->socket().assign(Unix(), socket->descriptor(), error);
    if (error) {
      return {Code::kIoError, fmt::format("{}: {}", path_.string(), error.message())};
    }
    static_cast<void>(socket->Release());
    return {};
  }
  [[nodiscard]] Stream& stream() { return *stream_; }
  [[nodiscard]] bool open() const { return stream_.has_value(); }
  [[nodiscard]] static bool EndedByPeer() { return false; }
  void Close() { stream_.reset(); }

 private:
  const std::filesystem::path path_;
  std::optional<Stream> stream_;
};

// Connects `stream` to the first address of the host that takes it.
Status ConnectTcp(asio::io_context& context, beast::tcp_stream& stream, const HttpAddress& address,
                  std::chrono::milliseconds patience) {
  error_code error;
  const auto found = Tcp::resolver(context).resolve(address.host, address.port, error);
  if (error) {
    return {Code::kNotFound, fmt::format("{}: {}", address.Name(), error.message())};
  }
  stream.expires_after(patience);
  error = RunToEnd(context, [&](auto done) { stream.async_connect(found, std::move(done)); });
  if (error) {
    return {error == asio::error::connection_refused ? Code::kNotFound : Code::kIoError,
            fmt::format("{}: {}", address.Name(),
                        IsTimeout(error) ? "nobody answers in time" : error.message())};
  }
  stream.socket().set_option(Tcp::no_delay(true), error);
  return {};
}

// Whether the peer has closed an idle connection.
bool HasEnded(Tcp::socket& socket) {
  char byte = 0;
  const ssize_t got = recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
}

class TcpLink {
 public:
  using Stream = beast::tcp_stream;
  static constexpr bool kTellsUnread = false;

  explicit TcpLink(HttpAddress address) : address_(std::move(address)) {}

  Status Open(asio::io_context& context, std::chrono::milliseconds patience) {
    stream_.emplace(context);
    return ConnectTcp(context, *stream_, address_, patience);
  }
  [[nodiscard]] Stream& stream() { return *stream_; }
  [[nodiscard]] bool open() const { return stream_.has_value(); }
  [[nodiscard]] bool EndedByPeer() { return HasEnded(stream_->socket()); }
  void Close() { stream_.reset(); }

 private:
  const HttpAddress address_;
  std::optional<Stream> stream_;
};

class TlsLink {
 public:
  using Stream = ssl::stream<beast::tcp_stream>;
  static constexpr bool kTellsUnread = false;

  explicit TlsLink(HttpAddress address) : address_(std::move(address)) {}

  Status Open(asio::io_context& context, std::chrono::milliseconds patience) {
    if (tls_ == nullptr) {
      ASSIGN_OR_RETURN(tls_, LoadTrust(address_.ca_file));
    }
    stream_.emplace(context, *tls_);
    RETURN_IF_ERROR(ConnectTcp(context, stream_->next_layer(), address_, patience));
    error_code no_address;
    asio::ip::make_address(address_.host, no_address);
    SSL* tls = stream_->native_handle();
    if (no_address) {  // A name: a daemon behind a shared address is told which one is meant.
      SSL_set_tlsext_host_name(tls, address_.host.c_str());
      SSL_set1_host(tls, address_.host.c_str());
    } else {
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), address_.host.c_str());
    }
    stream_->next_layer().expires_after(patience);
    const error_code error = RunToEnd(context, [&](auto done) {
      stream_->async_handshake(ssl::stream_base::client, std::move(done));
    });
    return error ? Status(Code::kIoError, WhyNotTrusted(error)) : Status();
  }
  [[nodiscard]] Stream& stream() { return *stream_; }
  [[nodiscard]] bool open() const { return stream_.has_value(); }
  [[nodiscard]] bool EndedByPeer() { return HasEnded(stream_->next_layer().socket()); }
  void Close() { stream_.reset(); }

 private:
  [[nodiscard]] std::string WhyNotTrusted(error_code error) {
    const long verdict = SSL_get_verify_result(stream_->native_handle());
    if (verdict == X509_V_OK || IsTimeout(error)) {
      return fmt::format("{}: no TLS: {}", address_.Name(), error.message());
    }
    return fmt::format("{}: its certificate is not trusted: {}; --ca names who signs it",
                       address_.Name(), X509_verify_cert_error_string(verdict));
  }

  const HttpAddress address_;
  std::shared_ptr<ssl::context> tls_;
  std::optional<Stream> stream_;
};

template <typename Link>
class HttpClientOver final : public HttpClient {
 public:
  HttpClientOver(const HttpAddress& address, std::chrono::milliseconds patience)
      : address_(address), patience_(patience), link_(address) {}

  Status Connect() {
    buffer_.clear();
    answered_ = false;
    Status status = link_.Open(context_, patience_);
    if (!status.ok()) {
      link_.Close();
    }
    return status;
  }

  Result<ApiResponse> Send(const ApiRequest& request) override {
    RETURN_IF_ERROR(BadTarget(request));
    const Message message = MessageOf(request, address_);
    const bool reused = link_.open() && !link_.EndedByPeer();
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
    HttpClientOver follower(address_, std::max(patience_, kFollowPatience));
    RETURN_IF_ERROR(follower.Connect());
    ApiResponse response;
    const error_code error = follower.Stream(MessageOf(request, address_), sink, response);
    if (error) {
      return Status(Code::kIoError, fmt::format("{}: the daemon's answer ended early: {}",
                                                address_.Name(), error.message()));
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
    return fmt::format("{}: the daemon took no request: {}", address_.Name(),
                       exchange.error.message());
  }

  std::string Unknown(const Exchange& exchange) const {
    // A server of TLS closes the connection, or says so in its own bytes.
    if (address_.kind == HttpAddress::Kind::kTcp && !answered_ &&
        (exchange.error == http::error::end_of_stream ||
         exchange.error == http::error::bad_version)) {
      return fmt::format(
          "{}: there was no answer in HTTP ({}): if it speaks TLS, its URL begins "
          "with https://; else, whether the request was carried out is not known",
          address_.Name(), exchange.error.message());
    }
    return fmt::format(
        "{}: {}; whether the request was carried out is not known", address_.Name(),
        IsTimeout(exchange.error) ? "the daemon did not answer in time" : exchange.error.message());
  }

  // Sends the message and reads the answer; closes the connection unless both keep it.
  Exchange Carry(const Message& message) {
    Exchange exchange;
    beast::get_lowest_layer(link_.stream()).expires_after(patience_);
    const error_code write_error = RunToEnd(
        context_, [&](auto done) { http::async_write(link_.stream(), message, std::move(done)); });
    // Also after a failed write: an answer to what was sent of it may be there already.
    Parser parser;
    parser.body_limit(boost::none);
    exchange.error = write_error;
    if (!IsTimeout(write_error)) {
      exchange.error = RunToEnd(context_, [&](auto done) {
        http::async_read(link_.stream(), buffer_, parser, std::move(done));
      });
    }
    if (exchange.error) {
      const bool reset = exchange.error == asio::error::connection_reset;
      exchange.untouched = Link::kTellsUnread && !parser.got_some() && !IsTimeout(exchange.error) &&
                           (write_error.failed() || reset);
      link_.Close();
      return exchange;
    }
    if (!parser.keep_alive() || write_error) {
      link_.Close();
    }
    answered_ = true;
    Parser::value_type answer = parser.release();
    exchange.response.status = static_cast<int>(answer.result_int());
    exchange.response.content_type = answer[http::field::content_type];
    exchange.response.allow = answer[http::field::allow];
    exchange.response.body = std::move(answer.body());
    return exchange;
  }

  // Hands a good answer's body on as it comes.
  error_code Stream(const Message& message, const Sink& sink, ApiResponse& response) {
    beast::get_lowest_layer(link_.stream()).expires_after(patience_);
    error_code error = RunToEnd(
        context_, [&](auto done) { http::async_write(link_.stream(), message, std::move(done)); });
    Parser parser;
    parser.body_limit(boost::none);
    if (!error) {
      error = RunToEnd(context_, [&](auto done) {
        http::async_read_header(link_.stream(), buffer_, parser, std::move(done));
      });
    }
    std::string& body = parser.get().body();
    const bool good = !error && parser.get().result() == http::status::ok;
    while (!error && !parser.is_done()) {
      beast::get_lowest_layer(link_.stream()).expires_after(patience_);
      error = RunToEnd(context_, [&](auto done) {
        http::async_read_some(link_.stream(), buffer_, parser, std::move(done));
      });
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

  const HttpAddress address_;
  const std::chrono::milliseconds patience_;
  asio::io_context context_{1};
  Link link_;
  bool answered_ = false;  // anything, on this connection
  beast::flat_buffer buffer_;
};

template <typename Link>
Result<std::unique_ptr<HttpClient>> ConnectOver(const HttpAddress& address,
                                                std::chrono::milliseconds patience) {
  auto client = std::make_unique<HttpClientOver<Link>>(address, patience);
  RETURN_IF_ERROR(client->Connect());
  return std::unique_ptr<HttpClient>(std::move(client));
}

}  // namespace

Result<std::unique_ptr<HttpClient>> HttpClient::Connect(const std::filesystem::path& socket,
                                                        std::chrono::milliseconds patience) {
  return ConnectHttp(HttpAddress{HttpAddress::Kind::kUnix, socket}, patience);
}

Result<std::unique_ptr<HttpClient>> ConnectHttp(const HttpAddress& address,
                                                std::chrono::milliseconds patience) {
  switch (address.kind) {
    case HttpAddress::Kind::kUnix: return ConnectOver<UnixLink>(address, patience);
    case HttpAddress::Kind::kTcp: return ConnectOver<TcpLink>(address, patience);
    case HttpAddress::Kind::kTls: break;
  }
  return ConnectOver<TlsLink>(address, patience);
}

}  // namespace sagalog
