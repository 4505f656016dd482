// What the daemon's connections share: the store, the workers that ask it, the limits, the stop.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "reactor/answer_budget.h"
#include "reactor/api.h"
#include "reactor/connection.h"
#include "reactor/daemon_figures.h"
#include "reactor/event_tail.h"
#include "reactor/event_watch.h"
#include "reactor/listener.h"
#include "reactor/server.h"
#include "reactor/token_file.h"
#include "schema/answers_generated.h"

namespace sagalog {

// All but Handle, Refuse and Stop is used on the thread of Run alone.
class Service {
 public:
  // The store is borrowed.
  Service(Store& store, ServerOptions options);

  // Before Run.
  [[nodiscard]] boost::asio::io_context& context() { return context_; }
  void Add(std::unique_ptr<Listener> listener) { listeners_.push_back(std::move(listener)); }
  void UseTokens(TokenFile tokens) {
    tokens_ = std::move(tokens);
    ++tokens_generation_;
  }
  // Changes with the tokens: who was recognised before it did has to be asked again.
  [[nodiscard]] std::uint64_t tokens_generation() const { return tokens_generation_; }
  // Called, on the thread of Run, at each SIGHUP.
  void OnHangup(std::function<void()> reload) { reload_ = std::move(reload); }

  void Run();
  // From any thread.
  void Stop();

  // On a worker: blocks until the store has answered.
  [[nodiscard]] ApiResponse Handle(const ApiRequest& request);
  [[nodiscard]] ApiResponse Refuse(schema::RefusalCode code, std::string_view detail) const;
  [[nodiscard]] boost::asio::thread_pool& workers() { return workers_; }
  // Where pages are made, few at a time: each takes the memory of a large answer.
  [[nodiscard]] boost::asio::thread_pool& readers() { return readers_; }
  // What answers hold that were not taken. From any thread.
  [[nodiscard]] AnswerBudget& answers() { return answers_; }
  [[nodiscard]] Store& store() { return store_; }
  [[nodiscard]] DaemonFigures& figures() { return figures_; }
  [[nodiscard]] EventWatch& watch() { return watch_; }
  [[nodiscard]] EventTail& tail() { return tail_; }
  [[nodiscard]] bool stopping() const { return stopping_; }
  [[nodiscard]] const ServerOptions& options() const { return options_; }
  // Who shows this secret; null when it is nobody's.
  [[nodiscard]] std::optional<Caller> Authenticate(std::string_view secret) const {
    return tokens_.Find(secret);
  }
  void Tell(ServerNote::Level level, std::string_view event, std::string text) const {
    if (options_.tell) {
      options_.tell({level, event, std::move(text)});
    }
  }
  // How long a peer may take for an answer.
  [[nodiscard]] std::chrono::milliseconds AnswerPatience() const;

  void Enter(Connection& connection);
  void Leave(Connection& connection);
  // One of those who entered unknown is known now.
  void ForgetStranger() { --strangers_; }
  // Ticks measure the patience with all peers together: no timer is set for a single read. The
  // tick after which `patience` is over.
  [[nodiscard]] std::uint64_t TickAfter(std::chrono::milliseconds patience) const;
  // A request has come on this connection: whether nobody else has said anything for a while.
  [[nodiscard]] bool IsLonely(const Connection& connection);
  // Counts a large request that is to be read; false when there are too many already.
  [[nodiscard]] bool TakeBytes(std::size_t bytes);
  void GiveBytesBack(std::size_t bytes) { bytes_in_flight_ -= bytes; }

 private:
  boost::asio::awaitable<void> Accept(Listener& listener);
  boost::asio::awaitable<void> Tick();
  boost::asio::awaitable<void> AwaitHangups();
  [[nodiscard]] bool HasPlaceFor(const Arrived& arrived) const;
  boost::asio::awaitable<void> RefuseConnection(std::shared_ptr<PeerStream> stream);
  void BeginStop();

  Store& store_;
  const ServerOptions options_;
  const std::size_t connections_max_;
  TokenFile tokens_;
  std::uint64_t tokens_generation_ = 0;
  boost::asio::io_context context_{1};
  boost::asio::thread_pool workers_;
  boost::asio::thread_pool readers_;
  AnswerBudget answers_;
  boost::asio::signal_set signals_;
  boost::asio::signal_set hangups_;
  std::function<void()> reload_;
  DaemonFigures figures_;
  EventTail tail_;
  EventWatch watch_;
  boost::asio::steady_timer stop_timer_{context_};
  boost::asio::steady_timer tick_timer_{context_};
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<Connection*> connections_;  // each knows its place
  std::size_t looked_at_ = 0;             // among them, by the last tick
  std::size_t local_connections_ = 0;
  std::size_t strangers_ = 0;
  std::size_t refusals_heard_ = 0;
  std::uint64_t tick_ = 0;
  bool ticking_ = false;
  std::size_t bytes_in_flight_ = 0;
  const Connection* speaker_ = nullptr;  // to be compared, not used
  std::size_t lonely_requests_ = 0;
  bool stopping_ = false;
};

// The bytes of a large request, counted for as long as it is held.
class RequestBytes {
 public:
  RequestBytes(Service& service, std::size_t bytes);
  ~RequestBytes() { service_.GiveBytesBack(taken_ ? bytes_ : 0); }
  RequestBytes(const RequestBytes&) = delete;
  RequestBytes& operator=(const RequestBytes&) = delete;
  // False when too many large requests are under way: refuse it as `overloaded`.
  [[nodiscard]] bool taken() const { return taken_; }

 private:
  Service& service_;
  std::size_t bytes_;
  bool taken_;
};

}  // namespace sagalog
