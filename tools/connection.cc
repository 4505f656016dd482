#include "tools/connection.h"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "reactor/event_stream.h"
#include "reactor/http_client.h"
#include "schema/store_time.h"
#include "tools/answer_patience.h"
#include "tools/server_url.h"
#include "tools/store_opening.h"

namespace sagalog::tools {
namespace {

// Who asks: the user of this process, as a daemon sees it at the other end of its socket.
std::string OwnUser() {
  const uid_t user = geteuid();
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> buffer{};
  if (getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
    return found->pw_name;
  }
  return std::to_string(user);
}

ApiRequest Request(std::string_view method, std::string_view target, std::string_view body) {
  ApiRequest request;
  request.method = method;
  request.target = target;
  request.body = body;
  return request;
}

class DaemonConnection final : public Connection {
 public:
  explicit DaemonConnection(std::unique_ptr<HttpClient> client) : client_(std::move(client)) {}

  Result<ApiResponse> Send(std::string_view method, std::string_view target,
                           std::string_view body) override {
    return client_->Send(Request(method, target, body));
  }
  Result<ApiResponse> Follow(std::string_view target, const Sink& sink) override {
    return client_->Follow(Request("GET", target, ""), sink);
  }
  bool IsDaemon() const override { return true; }

 private:
  std::unique_ptr<HttpClient> client_;
};

class EmbeddedConnection final : public Connection {
 public:
  explicit EmbeddedConnection(std::unique_ptr<Store> store)
      : store_(std::move(store)), principal_(OwnUser()) {}
  ~EmbeddedConnection() override {
    store_->Close().IgnoreBecause("every answer was durable when it was given");
  }

  Result<ApiResponse> Send(std::string_view method, std::string_view target,
                           std::string_view body) override {
    ApiRequest request = Request(method, target, body);
    request.principal = principal_;
    return HandleApi(*store_, request);
  }
  // What there is: with the directory in our hands nothing will come.
  Result<ApiResponse> Follow(std::string_view target, const Sink& sink) override {
    ASSIGN_OR_RETURN(ApiResponse response, Send("GET", target, ""));
    while (response.events && !response.events->CaughtUp()) {
      ASSIGN_OR_RETURN(const std::string piece, response.events->Next());
      sink(piece);
    }
    return response;
  }
  bool IsDaemon() const override { return false; }

 private:
  std::unique_ptr<Store> store_;
  std::string principal_;
};

// What was said on the command line counts more than what the command allows.
std::chrono::milliseconds PatienceOf(const ConnectionOptions& options) {
  const char* said = std::getenv(kTimeoutVariable);
  const auto timeout = ParseDuration(said == nullptr ? "" : said);
  return timeout.ok() && *timeout > Duration::zero()
             ? std::chrono::ceil<std::chrono::milliseconds>(*timeout)
             : options.patience;
}

// A daemon that is there; null when none listens.
Result<std::unique_ptr<Connection>> ToDaemon(const ConnectionOptions& options) {
  const std::filesystem::path socket = options.data / "socket";
  std::error_code error;
  if (!std::filesystem::exists(socket, error)) {
    return std::unique_ptr<Connection>();
  }
  auto client = HttpClient::Connect(socket, PatienceOf(options));
  if (client.ok()) {
    return std::unique_ptr<Connection>(std::make_unique<DaemonConnection>(*std::move(client)));
  }
  if (client.status().code() == Code::kNotFound) {
    return std::unique_ptr<Connection>();
  }
  return client.status();
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::Open(const ConnectionOptions& options) {
  if (IsServerUrl(options.data)) {
    ASSIGN_OR_RETURN(const HttpAddress address, ServerAddress(options.data));
    ASSIGN_OR_RETURN(auto client, ConnectHttp(address, PatienceOf(options)));
    return std::unique_ptr<Connection>(std::make_unique<DaemonConnection>(std::move(client)));
  }
  LockPatience patience;
  for (;;) {
    ASSIGN_OR_RETURN(auto daemon, ToDaemon(options));
    if (daemon != nullptr) {
      return daemon;
    }
    // Locked and yet nobody listens: another command, or a daemon that is just coming up.
    auto store = Store::Open(StoreOptionsOf(options));
    if (store.ok()) {
      return std::unique_ptr<Connection>(std::make_unique<EmbeddedConnection>(*std::move(store)));
    }
    if (store.status().code() != Code::kLocked || !patience.Wait()) {
      return store.status();
    }
  }
}

std::filesystem::path DataDirectoryPath(const std::string& given) {
  if (!given.empty()) {
    return given;
  }
  for (const char* name : {kUrlVariable, "SAGALOG_DATA"}) {
    const char* environment = std::getenv(name);
    if (environment != nullptr && *environment != '\0') {
      return environment;
    }
  }
  return "./.sagalog";
}

}  // namespace sagalog::tools
