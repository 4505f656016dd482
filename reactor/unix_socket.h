// Unix sockets as the daemon listens on them and its clients reach them.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "schema/status.h"

namespace sagalog {

// An open socket; closes it unless released. Paths may be longer than the 107 bytes of the kernel.
// Move-only.
class UnixSocket {
 public:
  // Listens at `path`, readable and writable by its owner alone from the first moment. Replaces the
  // socket file that a killed process has left. kLocked when somebody listens there,
  // kInvalidArgument when something else than a socket is there.
  [[nodiscard]] static Result<UnixSocket> Listen(const std::filesystem::path& path);

  // kNotFound when nobody listens at `path`, kOverloaded when who does accepts nobody within
  // `patience`.
  [[nodiscard]] static Result<UnixSocket> Connect(const std::filesystem::path& path,
                                                  std::chrono::milliseconds patience);

  // Takes a descriptor that listens, or is connected, already.
  [[nodiscard]] static UnixSocket Adopt(int descriptor) { return UnixSocket(descriptor); }

  UnixSocket(UnixSocket&& other) noexcept;
  ~UnixSocket();

  [[nodiscard]] int descriptor() const { return descriptor_; }
  // The descriptor, now the caller's to close.
  [[nodiscard]] int Release();

 private:
  explicit UnixSocket(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
};

// The name of the user at the other end of a connected socket, or "uid:" and its number.
[[nodiscard]] std::string PeerUser(int descriptor);

}  // namespace sagalog
