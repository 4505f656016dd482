// The socket under a client: connected and greeted, and what wakes the thread that waits for it.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "reactor/client_tls.h"
#include "schema/status.h"

namespace sagalog {

struct ClientOptions;

// Something that another thread can bring about, to wait for beside a socket.
class WakeUp {
 public:
  WakeUp();
  ~WakeUp();
  WakeUp(const WakeUp&) = delete;
  WakeUp& operator=(const WakeUp&) = delete;

  void Wake() const;
  void Clear() const;
  // Waits for so long, or until somebody wakes; true in the latter case.
  bool Await(std::chrono::milliseconds patience) const;
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

// What came of a look at a socket.
struct Readiness {
  bool readable = false;
  bool writable = false;
};

// Move-only; closes itself.
class ClientSocket {
 public:
  // Connects, says hello and reads the welcome, which takes no longer than the patience for each
  // step. Errors as Client::Connect says.
  [[nodiscard]] static Result<ClientSocket> Connect(const ClientOptions& options);

  ClientSocket(ClientSocket&& other) noexcept;
  ClientSocket& operator=(ClientSocket&& other) noexcept;
  ~ClientSocket();

  // How much of the bytes was taken, at once; kIoError when the connection is gone. From any
  // thread, one at a time.
  [[nodiscard]] Result<std::size_t> SendSome(std::string_view bytes) const;
  // Whether something that was taken could not leave yet: SendSome again, with or without more.
  [[nodiscard]] bool HasUnsent() const;
  // Appends what has come; false when the connection has ended. One thread at a time.
  [[nodiscard]] bool ReceiveInto(std::string& bytes) const;
  // Waits until something can be read, or written if that is wanted, or somebody wakes.
  [[nodiscard]] Readiness Await(bool wants_to_write, const WakeUp& wake,
                                std::chrono::milliseconds patience) const;
  void Close();

 private:
  // Under a mutex: what is sent and what is received may concern each other.
  struct Tls {
    explicit Tls(ClientTls made) : tls(std::move(made)) {}
    std::mutex mutex;
    ClientTls tls;  // guarded by mutex
  };

  explicit ClientSocket(int descriptor) : descriptor_(descriptor) {}
  [[nodiscard]] static Result<ClientSocket> ConnectTo(const ClientOptions& options);
  [[nodiscard]] static Result<ClientSocket> ConnectTcp(const ClientOptions& options,
                                                       const std::string& where);
  Status ShakeHands(const ClientOptions& options, const std::string& host);
  Status Greet(const ClientOptions& options) const;
  // While the socket still blocks.
  Status SendAll(std::string_view bytes) const;
  [[nodiscard]] Result<std::size_t> SendPlain(std::string_view bytes) const;
  [[nodiscard]] Status FlushTls() const;
  [[nodiscard]] Status AwaitReadable(std::chrono::milliseconds patience) const;

  int descriptor_;
  std::unique_ptr<Tls> tls_;  // null = none
};

}  // namespace sagalog
