// The socket under a client: connected and greeted, and what wakes the thread that waits for it.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

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
  bool timed_out = false;
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

  // How much of the bytes the kernel took, at once; kIoError when the connection is gone.
  [[nodiscard]] Result<std::size_t> SendSome(std::string_view bytes) const;
  // Appends what has come; false when the connection has ended.
  [[nodiscard]] bool ReceiveInto(std::string& bytes) const;
  // Waits until something can be read, or written if that is wanted, or somebody wakes.
  [[nodiscard]] Readiness Await(bool wants_to_write, const WakeUp& wake,
                                std::chrono::milliseconds patience) const;
  void Close();

 private:
  explicit ClientSocket(int descriptor) : descriptor_(descriptor) {}
  [[nodiscard]] static Result<ClientSocket> ConnectTo(const ClientOptions& options);
  [[nodiscard]] static Result<ClientSocket> ConnectTcp(const ClientOptions& options,
                                                       const std::string& where);
  Status Greet(const ClientOptions& options) const;
  [[nodiscard]] Status AwaitReadable(std::chrono::milliseconds patience) const;

  int descriptor_;
};

}  // namespace sagalog
